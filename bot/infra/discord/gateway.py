"""Whether the bot is connected to Discord, for `pastiche check`.

discord.py stays "ready" for ever once it was, so lost connections are tracked here.
"""

import time
from typing import Any

import discord

# Discord sends something at least every 41 s or so, when it answers a heartbeat.
SILENCE_S = 60.0


class Gateway:
    """When Discord was last known to be connected.

    Args:
        client: the client, which calls `established` and `lost`.
    """

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._established = False
        self._seen_at: float | None = None

    def established(self) -> None:
        """Record that the session is ready or resumed."""
        self._established = True

    def lost(self) -> None:
        """Record that the connection was lost or could not be made."""
        self._established = False

    def seen_at(self) -> float | None:
        """Return when Discord was last known to be connected, in Unix seconds; None if it never was."""
        if self._established and self._is_open():
            self._seen_at = time.time() - self._silence_s()
        return self._seen_at

    def _is_open(self) -> bool:
        socket: Any = self._client.ws
        return socket is not None and bool(getattr(socket, "open", True))

    def _silence_s(self) -> float:
        """Return for how many seconds Discord has sent nothing; 0 if that is usual."""
        # discord.py has no public name for the time that its own watchdog uses.
        keep_alive: Any = getattr(self._client.ws, "_keep_alive", None)
        heard = getattr(keep_alive, "_last_recv", None)
        if heard is None:
            return 0.0
        silent_s = time.perf_counter() - float(heard)
        return silent_s if silent_s > SILENCE_S else 0.0
