"""`make bench`: every promised figure, measured on this machine."""
