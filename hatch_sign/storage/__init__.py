"""Files that must survive a kill, and the folders that belong to hatch-sign."""
