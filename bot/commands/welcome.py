"""Coming to a server and leaving it: one short welcome, and the mark from which its data is purged."""

import datetime

import discord
import structlog
from discord.ext import commands
from sqlalchemy.orm import Session

from bot.app import Pastiche
from bot.i18n import _, marked
from bot.presentation import style
from bot.privacy_statement import Stored
from models import guilds, schedules
from models.columns import utc_now

STORES = (
    Stored(
        marked("When the bot said hello in a server, and when it was removed from it"),
        "guild_settings",
        marked("until the server's data is deleted, at the latest 30 days after the bot was removed"),
    ),
)

# Who added the bot while it was not running is greeted when it starts, unless that is long ago.
GREETED_WITHIN = datetime.timedelta(days=7)

log = structlog.stdlib.get_logger(__name__)


class Welcome(commands.Cog):
    """Greets a server once, and remembers when the bot was removed from one."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Greet a server that was never greeted; what it left here is not purged any more."""
        await self._arrived(guild)

    async def _arrived(self, guild: discord.Guild) -> None:
        first = await self.bot.database.call(_arrive, guild.id, utc_now(), write=True)
        log.info("joined a server", guild=guild.id, first=first)
        channel = channel_to_greet(guild)
        if not first or channel is None:
            return
        try:
            await channel.send(embed=welcome())
        except discord.HTTPException as error:
            log.info("welcome not sent", guild=guild.id, status=error.status)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Mark when, and stop the schedules: they do not start by themselves if the bot comes back."""
        await self.bot.database.call(_leave, guild.id, utc_now(), write=True)
        log.info("left a server", guild=guild.id)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Notice servers that removed the bot while it was away, those it is back in, and new ones."""
        here = {guild.id for guild in self.bot.guilds}
        left, back = await self.bot.database.call(_compare, here, utc_now(), write=True)
        if left or back:
            log.info("servers changed meanwhile", left=left, back=back)
        for guild in self.bot.guilds:
            since = guild.me.joined_at
            if since is not None and utc_now() - since < GREETED_WITHIN:
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


def _arrive(session: Session, guild_id: int, now: datetime.datetime) -> bool:
    """Note that the bot is in a guild, and say whether it is to be greeted.

    The mark is set before the message is sent: a crash in between costs a welcome, but never gives a second.
    """
    known = guilds.edit(session, guild_id, removed_at=None)
    if known.welcomed_at is not None:
        return False
    guilds.edit(session, guild_id, welcomed_at=now)
    return True


def _leave(session: Session, guild_id: int, now: datetime.datetime) -> None:
    guilds.edit(session, guild_id, removed_at=now)
    schedules.pause_all(session, guild_id, _("The bot was removed from the server."))


def _compare(session: Session, here: set[int], now: datetime.datetime) -> tuple[int, int]:
    """Bring the marks in line with the guilds the bot is in; counts those left and those back."""
    left, back = 0, 0
    for settings in guilds.known(session):
        if settings.guild_id in here and settings.removed_at is not None:
            guilds.edit(session, settings.guild_id, removed_at=None)
            back += 1
        elif settings.guild_id not in here and settings.removed_at is None:
            _leave(session, settings.guild_id, now)
            left += 1
    return left, back


async def setup(bot: Pastiche) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_cog(Welcome(bot))
