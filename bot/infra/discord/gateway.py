"""Whether the bot hears Discord: what `pastiche check` tells of the connection.

discord.py calls itself ready for ever once it was, so lost connections are followed here.
"""

import time
from typing import Any

import discord

# Discord is heard at least as often as it answers heartbeats, which it asks for every 41 s or so.
SILENCE_S = 60.0


class Gateway:
    """When Discord was last known to be connected.

    Args:
        client: whose connection it is; it reports here what it is told of it.
    """

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._established = False
        self._seen_at: float | None = None

    def established(self) -> None:
        """The session is ready, or goes on."""
        self._established = True

    def lost(self) -> None:
        """The connection is gone, or cannot be made."""
        self._established = False

    def seen_at(self) -> float | None:
        """The latest moment (Unix time) at which Discord was connected; None while it never was."""
        if self._established and self._is_open():
            self._seen_at = time.time() - self._silence_s()
        return self._seen_at

    def _is_open(self) -> bool:
        socket: Any = self._client.ws
        return socket is not None and bool(getattr(socket, "open", True))

    def _silence_s(self) -> float:
        """Seconds that Discord has said nothing for, beyond what is usual."""
        # discord.py has no public name for what its own watchdog looks at.
        keep_alive: Any = getattr(self._client.ws, "_keep_alive", None)
        heard = getattr(keep_alive, "_last_recv", None)
        if heard is None:
            return 0.0
        silent_s = time.perf_counter() - float(heard)
        return silent_s if silent_s > SILENCE_S else 0.0
