"""Checks whether a schedule can post: its channel, and the permission of the person who created it."""

import datetime
from collections.abc import Callable

import discord

from bot.errors import UserError
from bot.guilds.permissions import gone_channel, is_gone, is_of_channel, lacking_to_post
from bot.i18n import _
from bot.infra.discord.refusals import UNKNOWN_CHANNEL, UNKNOWN_MEMBER, UNKNOWN_USER
from models import GuildSettings

REMEMBERED = datetime.timedelta(minutes=1)

PostChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


class Hindrance(UserError):
    """The schedule cannot post; `str()` is one line for people.

    Args:
        line: the reason.
        passing: whether it may pass by itself; otherwise a person must change something.
    """

    def __init__(self, line: str, *, passing: bool = False) -> None:
        super().__init__(line)
        self.passing = passing


async def channel_to_post(guild: discord.Guild, channel_id: int, settings: GuildSettings) -> PostChannel:
    """Return the channel of a schedule, after checking that the bot may post there.

    Raises:
        Hindrance: it was deleted, the bot may not write there, or the server allows texts elsewhere only.
        HTTPException: Discord does not answer for now.
    """
    channel = guild.get_channel_or_thread(channel_id)
    try:
        # discord.py does not cache archived threads.
        channel = channel or await guild.fetch_channel(channel_id)
    except discord.NotFound as error:
        if error.code != UNKNOWN_CHANNEL:
            raise
        raise Hindrance(_("Its channel was deleted.")) from None
    except (discord.Forbidden, discord.InvalidData):
        raise Hindrance(_("I can no longer see its channel."), passing=True) from None
    return require_post_allowed(channel, settings)


def require_post_allowed(channel: object, settings: GuildSettings) -> PostChannel:
    """Return the channel, after checking that the bot may post texts there.

    Raises:
        Hindrance: it has no messages, the bot may not write there, or the server allows texts elsewhere only.
    """
    if not isinstance(channel, PostChannel):
        raise Hindrance(_("Posts go to a text channel or a thread."))
    try:
        mine = channel.permissions_for(channel.guild.me)
    except (AttributeError, discord.ClientException):  # the server or the parent channel is not cached
        raise Hindrance(_("I can no longer see its channel."), passing=True) from None
    lacking = lacking_to_post(mine, channel)
    if lacking:
        raise Hindrance(_("I lack {permissions} in its channel.").format(permissions=lacking), passing=True)
    if isinstance(channel, discord.Thread) and channel.locked and not mine.manage_threads:
        raise Hindrance(_("Its thread is locked."), passing=True)
    if settings.channel_id is not None and not is_of_channel(channel, settings.channel_id):
        if is_gone(channel.guild, channel_id=settings.channel_id):
            raise Hindrance(gone_channel())
        raise Hindrance(_("This server's texts go to <#{channel}> only.").format(channel=settings.channel_id))
    return channel


class Creators:
    """Checks whether the creator of a schedule may still have it; caches Discord's answers for a minute.

    Args:
        now: returns the present moment (aware).
    """

    def __init__(self, now: Callable[[], datetime.datetime]) -> None:
        self._now = now
        self._asked: dict[tuple[int, int], tuple[datetime.datetime, str | None]] = {}

    async def require_right(self, guild: discord.Guild, user_id: int) -> None:
        """Check that the person is in the server and manages it.

        Raises:
            Hindrance: they left, or have no Manage Server any more.
            HTTPException: Discord does not answer for now.
        """
        now = self._now()
        known = self._asked.get((guild.id, user_id))
        if known is None or not now - REMEMBERED < known[0] <= now:
            self._asked = {key: value for key, value in self._asked.items() if value[0] > now - REMEMBERED}
            known = self._asked[guild.id, user_id] = (now, await self._hindrance(guild, user_id))
        if known[1] is not None:
            raise Hindrance(known[1])

    async def _hindrance(self, guild: discord.Guild, user_id: int) -> str | None:
        try:
            member = await guild.fetch_member(user_id)
        except discord.NotFound as error:
            if error.code not in (UNKNOWN_MEMBER, UNKNOWN_USER):
                raise
            return _("The person who created it has left the server.")
        if not member.guild_permissions.manage_guild:
            return _("The person who created it no longer has Manage Server.")
        return None
