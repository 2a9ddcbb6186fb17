"""Training with Keras 3. Whatever serves samples must not import this package."""
