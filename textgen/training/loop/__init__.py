"""The training loop: steps, validations, the clock, and the watch for divergence."""
