"""Each server's hidden words, at hand for everything that is shown: nobody waits for the database first."""

from sqlalchemy.orm import Session

from bot.text import hidden_words
from models import guilds


class GuildWords:
    """Lists of hidden words by server; one process answers a server, so it sees every change of its list."""

    def __init__(self) -> None:
        self._lists: dict[int, str] = {}

    def load(self, session: Session) -> None:
        """Learn the lists of all servers."""
        self._lists = {each.guild_id: each.hidden_words for each in guilds.known(session)}

    def learn(self, guild_id: int, words: str) -> None:
        """Remember a server's list, as it is from now on."""
        self._lists[guild_id] = words

    def hide_for(self, guild_id: int | None) -> None:
        """Hide a server's words from all that the task at hand shows from now on."""
        hidden_words.current.set(self._lists.get(guild_id or 0, ""))
