"""What a training tells: events, the loss curve, TensorBoard files."""
