"""Whether the bot is connected to Discord, for `pastiche check`.

discord.py stays "ready" for ever once it was, so lost connections are tracked here, shard by shard.
"""

import time
from typing import Any

import discord

# Discord sends something at least every 41 s or so, when it answers a heartbeat.
SILENCE_S = 60.0


class Gateway:
    """When Discord was last known to be connected, by each shard of this process.

    Args:
        client: the client, which calls `established` and `lost`.
    """

    def __init__(self, client: discord.AutoShardedClient) -> None:
        self._client = client
        self._established: set[int] = set()
        self._seen_at: dict[int, float] = {}

    def established(self, shard_id: int) -> None:
        """Record that a shard's session is ready or resumed."""
        self._established.add(shard_id)

    def lost(self, shard_id: int) -> None:
        """Record that a shard's connection was lost or could not be made."""
        self._established.discard(shard_id)

    def seen_at(self) -> float | None:
        """Return when every shard was last known to be connected, in Unix seconds; None if one never was."""
        shard_ids = self._client.shard_ids or range(self._client.shard_count or 1)
        seen = [self._shard_seen_at(shard_id) for shard_id in shard_ids]
        known = [moment for moment in seen if moment is not None]
        return min(known) if len(known) == len(seen) else None

    def _shard_seen_at(self, shard_id: int) -> float | None:
        shard = self._client.get_shard(shard_id)
        if shard is not None and shard_id in self._established and not shard.is_closed():
            self._seen_at[shard_id] = time.time() - _silence_s(shard)
        return self._seen_at.get(shard_id)


def _silence_s(shard: discord.ShardInfo) -> float:
    """Return for how many seconds Discord has sent nothing to a shard; 0 if that is usual."""
    # discord.py has no public name for the time that its own watchdog uses.
    keep_alive: Any = getattr(shard._parent.ws, "_keep_alive", None)
    heard = getattr(keep_alive, "_last_recv", None)
    if heard is None:
        return 0.0
    silent_s = time.perf_counter() - float(heard)
    return silent_s if silent_s > SILENCE_S else 0.0
