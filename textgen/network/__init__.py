"""The description of a network."""
