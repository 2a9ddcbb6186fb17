"""Reading a corpus: files, encodings, tables, and pieces of text."""
