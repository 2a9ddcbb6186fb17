"""Uploaded files: downloaded within limits, read in a child process, stored as clean text."""
