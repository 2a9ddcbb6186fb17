"""Servers as people see them on a Discord on loopback: cards, posts, anything else; and their schedules."""

import datetime
from typing import Any

from models import Database, schedules
from tests.support.bot.discord_server import MANAGER, DiscordServer, channel_id_of

PERSON = int(MANAGER["id"])
ONE_DAY = datetime.timedelta(days=1)
ONE_SECOND = datetime.timedelta(seconds=1)


class Communities:
    """Servers with one schedule each.

    Args:
        server: shows their messages.
        database: has their rows.
    """

    def __init__(self, server: DiscordServer, database: Database) -> None:
        self._server, self._database = server, database
        self._latest = datetime.datetime.min.replace(tzinfo=datetime.UTC)

    def add_schedule(self, guild_id: int) -> None:
        """Give a server a schedule; its first post is due tomorrow."""
        now = datetime.datetime.now(datetime.UTC)
        values = {"rule": "every 6 hours", "timezone": "UTC", "anchor": now, "length": 40}
        channel_id = channel_id_of(guild_id)
        with self._database.write() as session:
            draft = schedules.add_draft(session, guild_id, channel_id=channel_id, created_by=PERSON, **values)
            schedules.confirm(session, guild_id, draft.id, next_slot=now + ONE_DAY)

    def let_be_due(self, in_s: float = 0.0) -> None:
        """Let every schedule be due once more.

        Args:
            in_s: seconds from now.
        """
        due_at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=in_s)
        # Real slots are whole minutes apart; Discord takes two posts of one second for one.
        slot = self._latest = max(due_at.replace(microsecond=0), self._latest + ONE_SECOND)
        with self._database.write() as session:
            for schedule in schedules.active(session):
                schedules.advance(
                    session, schedule.guild_id, schedule.id, expected=schedule.next_slot, next_slot=slot
                )

    def messages(self, guild_id: int) -> list[dict[str, Any]]:
        return self._server.messages_in(channel_id_of(guild_id))

    def posts(self, guild_id: int) -> int:
        """Return how many scheduled posts the server's channel shows."""
        return sum(_is_post(message) for message in self.messages(guild_id))

    def cards(self, guild_id: int, model_name: str) -> list[str]:
        """Return what the cards of the trainings of a model show."""
        return [
            str(message["embeds"])
            for message in self.messages(guild_id)
            if not _is_post(message) and model_name in _titles(message)
        ]

    def others(self, guild_id: int, model_names: set[str]) -> list[dict[str, Any]]:
        """Return the messages that are neither posts nor cards of these models nor the welcome."""
        known = model_names | {"Hello, I am Pastiche"}
        return [
            message
            for message in self.messages(guild_id)
            if not _is_post(message) and not known.intersection(_titles(message))
        ]


def _titles(message: dict[str, Any]) -> list[str]:
    return [str(embed.get("title")) for embed in message.get("embeds", [])]


def _is_post(message: dict[str, Any]) -> bool:
    return "random seed" in str(message.get("embeds"))
