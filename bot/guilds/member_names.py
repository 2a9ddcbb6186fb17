"""Names of members, fetched from Discord and cached, because the bot does not ask for the members intent.

Nobody waits long for a name: if Discord is slow, the mention is used instead, which clients show as the name.
The next time the name is in the cache.
"""

import asyncio
import collections
from collections.abc import Iterable

import aiohttp
import discord

from bot.i18n import _
from bot.text import safe_text
from models.personal_data import DELETED_PERSON

REMEMBERED = 2000
NAME_CHARACTERS = 60
DEADLINE_S = 1.5
"""The longest that a card waits for all of its names, in seconds."""

Key = tuple[int, int]


class Names:
    """Display names by server and user.

    Args:
        client: fetches the members.
    """

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._known: collections.OrderedDict[Key, str | None] = collections.OrderedDict()
        self._asked: dict[Key, asyncio.Task[None]] = {}

    async def of(self, guild_id: int, user_id: int) -> str:
        """Return a name as one line of plain text, for places that cannot show a mention."""
        key = (guild_id, user_id)
        await self._look_up([key])
        return self._told(key) or _("someone who left")

    async def of_all(self, guild_id: int, user_ids: Iterable[int]) -> dict[int, str]:
        """Return several names by user id, fetched at the same time; format them with `safe_text.person`."""
        keys = [(guild_id, user_id) for user_id in user_ids]
        await self._look_up(keys)
        return {key[1]: self._told(key) or f"<@{key[1]}>" for key in keys}

    def forget(self, guild_id: int, user_id: int | None = None) -> None:
        """Forget a person, or everyone of a server."""
        for key in [key for key in self._known if key[0] == guild_id and user_id in (None, key[1])]:
            del self._known[key]
        for key in [key for key in self._asked if key[0] == guild_id and user_id in (None, key[1])]:
            del self._asked[key]  # so that its answer is not cached

    async def _look_up(self, keys: Iterable[Key]) -> None:
        """Ask Discord for the names that are not cached, and wait for them up to `DEADLINE_S`."""
        asked = [self._ask(key) for key in keys if key[1] != DELETED_PERSON and key not in self._known]
        if asked:
            await asyncio.wait(asked, timeout=DEADLINE_S)

    def _ask(self, key: Key) -> "asyncio.Task[None]":
        """Return the only request for a name; it continues if nobody waits for it any more."""
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(self._learn(key))
        return self._asked[key]

    async def _learn(self, key: Key) -> None:
        try:
            name = await self._fetch(*key)
        except (discord.DiscordException, aiohttp.ClientError, OSError):
            self._asked.pop(key, None)  # Discord may know better in a moment
            return
        if self._asked.pop(key, None) is None:
            return
        self._known[key] = name
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _told(self, key: Key) -> str | None:
        """Return the cached name; None until Discord has answered."""
        if key[1] == DELETED_PERSON:
            return _("a deleted person")
        if key not in self._known:
            return None
        self._known.move_to_end(key)
        return self._known[key] or _("someone who left")

    async def _fetch(self, guild_id: int, user_id: int) -> str | None:
        guild = self._client.get_guild(guild_id)
        if guild is None:
            return None
        try:
            member = await guild.fetch_member(user_id)
        except discord.NotFound:
            return None
        return safe_text.shorten(safe_text.plain(member.display_name), NAME_CHARACTERS)
