"""Training data: the tokens of a corpus, their cache, and batches."""
