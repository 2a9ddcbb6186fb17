"""Coming to a server and leaving it: one short welcome, and the mark from which its data is purged."""

import datetime

import discord
import structlog
from discord.ext import commands

from bot.client import Pastiche
from bot.i18n import _
from bot.text import style

# Who added the bot while it was not running is greeted when it starts, unless that is long ago.
GREETED_WITHIN = datetime.timedelta(days=7)

log = structlog.stdlib.get_logger(__name__)


class Welcome(commands.Cog):
    """Greets a server once, and remembers when the bot was removed from one."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot
        self._listed: set[int] | None = None

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Greet a server that was never greeted; what it left here is not purged any more."""
        await self._arrived(guild)

    async def _arrived(self, guild: discord.Guild) -> None:
        first = await self.bot.presence.arrived(guild.id)
        log.info("in a server", guild=guild.id, first=first)
        channel = channel_to_greet(guild)
        if not first or channel is None:
            return
        try:
            await channel.send(embed=welcome())
        except discord.HTTPException as error:
            log.info("welcome not sent", guild=guild.id, status=error.status)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note that somebody removed the bot."""
        await self.bot.presence.removed(guild)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Greet who added the bot shortly before an outage."""
        await self._greet_if_new(guild)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Notice servers that removed the bot while it was away, those it is back in, and new ones."""
        left, back = await self.bot.presence.compare()
        if left or back:
            log.info("servers changed meanwhile", left=len(left), back=len(back))
        listed, self._listed = self._listed, {guild.id for guild in self.bot.guilds}
        for guild in self.bot.guilds:
            # One that has come since this process was connected first is new, whatever its date says.
            await self._greet_if_new(guild, is_new=listed is not None and guild.id not in listed)

    async def _greet_if_new(self, guild: discord.Guild, *, is_new: bool = False) -> None:
        # Of a server in an outage nothing is known; it is looked at when it is there again.
        member = None if guild.unavailable else guild.me
        since = None if member is None else member.joined_at
        if since is not None and (is_new or self.bot.clock() - since < GREETED_WITHIN):
            await self._arrived(guild)


def channel_to_greet(guild: discord.Guild) -> discord.TextChannel | None:
    """The system channel or else the first text channel, of those that the bot may write to."""
    channels = [guild.system_channel, *sorted(guild.text_channels, key=lambda channel: channel.position)]
    for channel in channels:
        if channel is not None:
            mine = channel.permissions_for(guild.me)
            if mine.view_channel and mine.send_messages and mine.embed_links:
                return channel
    return None


def welcome() -> discord.Embed:
    """What there is to do, and where privacy is explained."""
    embed = discord.Embed(
        title=_("Hello, I am Pastiche"),
        description=_("I learn to write in the style of texts you upload, and answer in your channels."),
        colour=style.SAMPLE,
    )
    for usage, what in (
        ("/train", _("Upload a text that you may use; for those who manage the server.")),
        ("/generate", _("Write something in its style.")),
        ("/models", _("See what was trained, with its figures.")),
    ):
        embed.add_field(name=usage, value=what, inline=False)
    embed.set_footer(
        text=_(
            "I never read your messages. /privacy shows what is stored, and deletes it; /help shows the rest."
        )
    )
    return embed


async def setup(bot: Pastiche) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_cog(Welcome(bot))
