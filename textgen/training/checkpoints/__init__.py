"""The state of a training on disk, and the lock on its folder."""
