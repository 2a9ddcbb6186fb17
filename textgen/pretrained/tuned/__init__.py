"""A base that was fine-tuned on a corpus: its adapter, and the corpus' n-grams mixed in."""
