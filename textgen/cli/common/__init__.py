"""What the commands share: streams, flags, and the examples of every help."""
