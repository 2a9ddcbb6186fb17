"""Names of members, fetched one by one and remembered: the bot asks for no members intent."""

import collections

import discord

from bot.i18n import _
from bot.presentation import safe_text
from models.personal_data import DELETED_PERSON

REMEMBERED = 2000
NAME_CHARACTERS = 60


class Names:
    """Display names by server and user.

    Args:
        client: to fetch them with.
    """

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._known: collections.OrderedDict[tuple[int, int], str | None] = collections.OrderedDict()

    async def of(self, guild_id: int, user_id: int) -> str:
        """The name as plain text on one line; cards carry no mentions."""
        if user_id == DELETED_PERSON:
            return _("a deleted person")
        key = (guild_id, user_id)
        if key not in self._known:
            try:
                self._known[key] = await self._fetch(guild_id, user_id)
            except discord.HTTPException:
                return _("someone who left")  # for now; Discord may know better in a moment
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key] or _("someone who left")

    def forget(self, guild_id: int, user_id: int | None = None) -> None:
        """Remember a person, or all of a server, no longer."""
        for key in [key for key in self._known if key[0] == guild_id and user_id in (None, key[1])]:
            del self._known[key]

    async def _fetch(self, guild_id: int, user_id: int) -> str | None:
        guild = self._client.get_guild(guild_id)
        if guild is None:
            return None
        try:
            member = await guild.fetch_member(user_id)
        except discord.NotFound:
            return None
        return safe_text.shorten(safe_text.plain(member.display_name), NAME_CHARACTERS)
