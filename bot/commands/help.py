"""`/help`, written from the command tree itself."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import Interaction, Pastiche
from bot.presentation import style


class Help(commands.Cog):
    """What there is to type."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot

    @app_commands.command(description="Show what this bot can do.")
    async def help(self, interaction: Interaction) -> None:
        """Answer with every command, its description and its options."""
        embed = discord.Embed(
            title="Pastiche",
            description="Learns to write in the style of texts you upload.",
            colour=style.SAMPLE,
        )
        for command in sorted(self.bot.tree.walk_commands(), key=lambda command: command.qualified_name):
            if isinstance(command, app_commands.Command):
                options = " ".join(
                    option.display_name if option.required else f"[{option.display_name}]"
                    for option in command.parameters
                )
                usage = f"`/{command.qualified_name} {options}".rstrip() + "`"
                embed.add_field(
                    name=f"/{command.qualified_name}", value=f"{command.description}\n{usage}", inline=False
                )
        await interaction.response.send_message(embed=embed, ephemeral=True)


async def setup(bot: Pastiche) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_cog(Help(bot))
