"""The message in a channel that shows a training and is edited until it ends."""
