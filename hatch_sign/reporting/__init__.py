"""Reports of a verification that an auditor keeps: values in, one HTML page or Markdown text out. No clock, no I/O."""
