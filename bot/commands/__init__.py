"""Slash commands, an extension for each domain."""

EXTENSIONS = (
    "bot.commands.generate",
    "bot.commands.train",
    "bot.commands.jobs",
    "bot.commands.models",
    "bot.commands.help",
)
