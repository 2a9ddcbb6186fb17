"""Detects exports of chats. Only who reads a corpus imports them: the patterns take long to compile."""
