"""Whether a text is an export of a chat."""
