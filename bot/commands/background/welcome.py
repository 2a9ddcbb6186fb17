"""Greets each server once, with one short message."""

from collections.abc import Collection

import discord
import structlog
from discord.ext import commands

from bot import i18n
from bot.client import Pastiche
from bot.guilds.permissions import lacking_to_post
from bot.i18n import _
from bot.text import card_style

log = structlog.stdlib.get_logger(__name__)


class Welcome(commands.Cog):
    """Tells `bot.presence` what Discord says of servers, and greets each server once."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot
        self._was_ready = False

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Greet a server that was never greeted; what it left here is not purged any more."""
        await self._arrived([guild])

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note that somebody removed the bot."""
        await self.bot.presence.removed(guild)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Greet a server that added the bot shortly before an outage."""
        if self.bot.presence.joined_lately(guild):
            await self._arrived([guild])

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Notice servers that removed the bot while it was away, those that added it again, and new ones."""
        self._was_ready = True
        await self._look()

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int) -> None:
        """Notice the same when one shard, later, has to begin a new session."""
        if self._was_ready:
            await self._look(shard_id)

    @commands.Cog.listener()
    async def on_shard_resumed(self, shard_id: int) -> None:
        """Note that nothing was missed."""
        self.bot.presence.shard_resumed(shard_id)

    @commands.Cog.listener()
    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Note which servers a shard had."""
        self.bot.presence.shard_lost(shard_id)

    async def _look(self, shard_id: int | None = None) -> None:
        left, back = await self.bot.presence.compare(shard_id)
        if left or back:
            log.info("servers changed meanwhile", left=len(left), back=len(back))
        await self._arrived(self.bot.presence.newcomers())

    async def _arrived(self, guilds: Collection[discord.Guild]) -> None:
        if not guilds:
            return
        to_greet = await self.bot.presence.arrived([guild.id for guild in guilds])
        for guild in guilds:
            log.info("in a server", guild=guild.id, first=guild.id in to_greet)
            channel = channel_to_greet(guild) if guild.id in to_greet else None
            if channel is None:
                continue
            with i18n.speaking(str(guild.preferred_locale)):
                greeting = welcome()
            try:
                await channel.send(embed=greeting)
            except discord.HTTPException as error:
                log.info("welcome not sent", guild=guild.id, status=error.status)


def channel_to_greet(guild: discord.Guild) -> discord.TextChannel | None:
    """The first channel that the bot may write in: the system channel, then text channels in order."""
    channels = [guild.system_channel, *sorted(guild.text_channels, key=lambda channel: channel.position)]
    for channel in channels:
        if channel is not None and not lacking_to_post(channel.permissions_for(guild.me), channel):
            return channel
    return None


def welcome() -> discord.Embed:
    """The welcome: the three main commands, and where privacy is explained."""
    embed = discord.Embed(
        title=_("Hello, I am Pastiche"),
        description=_("I learn to write in the style of texts you upload, and answer in your channels."),
        colour=card_style.SAMPLE,
    )
    for usage, what in (
        ("/train", _("Upload a text that you may use (takes Manage Server).")),
        ("/generate", _("Write something in its style.")),
        ("/models", _("See what was trained, with its figures.")),
    ):
        embed.add_field(name=usage, value=what, inline=False)
    embed.set_footer(
        text=_(
            "I never read your messages. /privacy shows what I store and deletes it; /help shows all "
            "commands."
        )
    )
    return embed


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    await bot.add_cog(Welcome(bot))
