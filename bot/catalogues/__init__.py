"""Keeps the translations up to date: `python -m bot.catalogues.update` renews every catalogue."""
