"""The version of the bot, as the installed distribution says it."""

from importlib import metadata

DISTRIBUTION = "pastiche-bot"


def installed_version() -> str:
    """Return the version of the installed bot."""
    return metadata.version(DISTRIBUTION)
