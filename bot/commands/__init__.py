"""Slash commands, an extension for each domain."""

EXTENSIONS = (
    "bot.commands.generate",
    "bot.commands.train",
    "bot.commands.jobs",
    "bot.commands.models",
    "bot.commands.settings",
    "bot.commands.privacy",
    "bot.commands.schedule",
    "bot.commands.background.welcome",
    "bot.commands.help",
    "bot.commands.about",
    "bot.commands.background.housekeeping",
)
