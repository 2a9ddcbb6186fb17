"""What keeps a schedule from posting: its channel, its model, or the right of who made it is gone."""

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
        line: says why.
        passing: it may be gone in a moment; else only a person can change it.
    """

    def __init__(self, line: str, *, passing: bool = False) -> None:
        super().__init__(line)
        self.passing = passing


async def channel_to_post(guild: discord.Guild, channel_id: int, settings: GuildSettings) -> PostChannel:
    """The channel, in which the bot may post.

    Raises:
        Hindrance: it is gone, the bot may not write there, or the server chose another one for its texts.
        HTTPException: Discord does not say, for now.
    """
    channel = guild.get_channel_or_thread(channel_id)
    try:
        # An archived thread is in no cache.
        channel = channel or await guild.fetch_channel(channel_id)
    except discord.NotFound as error:
        if error.code != UNKNOWN_CHANNEL:
            raise
        raise Hindrance(_("Its channel is gone.")) from None
    except (discord.Forbidden, discord.InvalidData):
        raise Hindrance(_("I may not see its channel any more."), passing=True) from None
    return require_post_allowed(channel, settings)


def require_post_allowed(channel: object, settings: GuildSettings) -> PostChannel:
    """The channel, in which the bot may post texts.

    Raises:
        Hindrance: it holds no messages, the bot may not write there, or the server chose another one.
    """
    if not isinstance(channel, PostChannel):
        raise Hindrance(_("Posts go to a text channel or a thread."))
    try:
        mine = channel.permissions_for(channel.guild.me)
    except (AttributeError, discord.ClientException):  # the server or the thread's channel is not there
        raise Hindrance(_("I may not see its channel any more."), passing=True) from None
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
    """Says whether who made a schedule may still do so; asks Discord, and remembers it for a minute.

    Args:
        now: the clock.
    """

    def __init__(self, now: Callable[[], datetime.datetime]) -> None:
        self._now = now
        self._asked: dict[tuple[int, int], tuple[datetime.datetime, str | None]] = {}

    async def require_right(self, guild: discord.Guild, user_id: int) -> None:
        """See that the person is in the server and manages it.

        Raises:
            Hindrance: they left, or may not manage it any more.
            HTTPException: Discord does not say, for now.
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
            return _("Who made it has left the server.")
        if not member.guild_permissions.manage_guild:
            return _("Who made it has no Manage Server any more.")
        return None
