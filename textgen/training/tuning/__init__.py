"""Fine-tuning a pretrained base: low-rank adapters in Keras, and the corpus' n-grams mixed in."""
