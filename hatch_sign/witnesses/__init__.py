"""What vouches for a signature after it was made."""
