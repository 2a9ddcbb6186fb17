"""Queries about schedules and their posts."""
