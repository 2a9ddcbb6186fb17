"""The revisions, oldest first by their dates."""
