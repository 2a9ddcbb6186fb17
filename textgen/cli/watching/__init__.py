"""A training at the shell: its progress, and how it is interrupted."""
