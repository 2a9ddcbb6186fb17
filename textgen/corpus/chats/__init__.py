"""Detects exports of chats."""
