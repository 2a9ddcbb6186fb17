"""A sampling process for another program."""
