"""Lists and answers that tell whether an authority took a certificate back: read from files, or fetched."""
