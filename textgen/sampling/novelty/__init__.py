"""What keeps a text from repeating its corpus: lines that are known, passages that are too long."""
