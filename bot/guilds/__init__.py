"""A Discord server ("guild"): its settings, members' names, permissions, joining and leaving."""
