"""Detects exports of chats. Only who reads a corpus imports them: the patterns take long to compile."""

HEAD = 400_000
"""Number of characters at the beginning of a text that are read."""
