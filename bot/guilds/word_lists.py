"""A cache of each server's hidden words, so that an answer does not wait for the database."""

from sqlalchemy.orm import Session

from bot.text import hidden_words
from models import EVERY_GUILD, ServedShards, guilds


class GuildWords:
    """Lists of hidden words by server; a server without such a list takes no room.

    One process serves a server, so it sees every change of its list.
    """

    def __init__(self) -> None:
        self._lists: dict[int, str] = {}

    def load(self, session: Session, served: ServedShards = EVERY_GUILD) -> None:
        """Load the lists of the servers that this process serves."""
        self._lists = dict(guilds.hidden_words(session, served))

    def learn(self, guild_id: int, words: str) -> None:
        """Set a server's list, which has changed."""
        if words:
            self._lists[guild_id] = words
        else:
            self._lists.pop(guild_id, None)

    def hide_for(self, guild_id: int | None) -> None:
        """Hide a server's words in everything that the current task shows from now on."""
        hidden_words.current.set(self._lists.get(guild_id or 0, ""))
