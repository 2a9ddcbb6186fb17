"""Slash commands, a module for each domain: its function `setup` adds its commands to a bot."""

COMMAND_MODULES = (
    "bot.commands.generate",
    "bot.commands.authorship.verify",
    "bot.commands.authorship.who",
    "bot.commands.authorship.game",
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
