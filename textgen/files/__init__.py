"""Files: atomic writes, which files are ours, and the folder that a training writes."""
