"""The processes of an installation: their names, their signs of life, and who is dead."""
