"""`/help`, written from the command tree itself: all commands by group, or one with its options."""

import contextlib

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, Pastiche
from bot.commands import autocomplete
from bot.embeds.help_card import AnyCommand, command_card, commands_card, usage
from bot.errors import UserError
from bot.i18n import _
from bot.text import safe_text
from bot.views.answering import Ack, answer, answers
from models import guilds


class Help(commands.Cog):
    """`/help`."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot
        self._ids: dict[str, int] = {}

    @app_commands.command(description="Show what this bot can do.")
    @app_commands.describe(command="One command, with all its options")
    @answers(Ack.PRIVATELY)
    async def help(
        self, interaction: Interaction, command: app_commands.Range[str, 1, 70] | None = None
    ) -> None:
        """Answer with every command, or with one of them."""
        if not self._ids:
            # Only Discord knows the ids by which a command can be mentioned; without, it is written plainly.
            with contextlib.suppress(discord.HTTPException):
                self._ids = {each.name: each.id for each in await self.bot.tree.fetch_commands()}
        settings = None
        if interaction.guild_id is not None:
            settings = await self.bot.database.call(guilds.settings_of, interaction.guild_id)
        if command is None:
            menus = self.bot.tree.get_commands(type=discord.AppCommandType.message)
            embed = commands_card(self._commands(), menus, self._ids, settings)
        else:
            wanted = command.strip().removeprefix("/").casefold()
            found = next((each for each in self._commands() if each.qualified_name == wanted), None)
            if found is None:
                name = safe_text.safe_within(command, 70)
                raise UserError(_("There is no command /{name}.").format(name=name))
            embed = command_card(found, self._ids, settings)
        await answer(interaction, embeds=[embed])

    @help.autocomplete("command")
    async def _complete_command(self, _interaction: Interaction, current: str) -> autocomplete.Choices:
        wanted = current.strip().removeprefix("/").casefold()
        found = [each for each in self._commands() if wanted in each.qualified_name]
        return [
            app_commands.Choice(name=usage(each)[:100], value=each.qualified_name)
            for each in found[: autocomplete.CHOICES]
        ]

    def _commands(self) -> list[AnyCommand]:
        found = [each for each in self.bot.tree.walk_commands() if isinstance(each, app_commands.Command)]
        return sorted(found, key=lambda command: command.qualified_name)


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    await bot.add_cog(Help(bot))
