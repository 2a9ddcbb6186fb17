"""Files: atomic writes, which files textgen has written, and the folder that a training writes."""
