"""When a shard may identify itself: Discord takes one IDENTIFY in 5 s for each `shard mod max_concurrency`.

Within this process a clock holds that. Processes that share a PostgreSQL database take a lock for each
identification and keep it for those 5 s, so any number of them may start at the same time. If one is killed
meanwhile its lock is free at once, and at worst Discord refuses an IDENTIFY and discord.py repeats it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from models import DatabaseError
from models.connection.advisory_locks import AdvisoryLocks
from models.connection.engine import parse_url

log = structlog.stdlib.get_logger(__name__)

APART_S = 5.0
SPARE_S = 0.5
"""On the way to Discord one IDENTIFY may be faster than the one before it."""
ASK_EVERY_S = 0.25


class IdentifyGate:
    """Lets shards identify themselves as often as Discord takes it.

    Args:
        database_url: where processes meet; with SQLite only the shards of this process wait for each other.
        max_concurrency: asks Discord for the number of buckets.
        apart_s: seconds between two identifications of one bucket.
    """

    def __init__(
        self,
        database_url: str,
        max_concurrency: Callable[[], Awaitable[int]],
        *,
        apart_s: float = APART_S + SPARE_S,
    ) -> None:
        url = parse_url(database_url)
        self._url = url if url.get_backend_name() == "postgresql" else None
        self._max_concurrency = max_concurrency
        self._buckets = 0
        self._apart_s = apart_s
        self._free_at: dict[int, float] = {}
        self._turns: dict[int, asyncio.Lock] = {}

    async def wait(self, application_id: int, shard_id: int) -> None:
        """Return when the shard may identify itself; its bucket is closed for some seconds from then on."""
        if not self._buckets:
            self._buckets = max(1, await self._max_concurrency())
        bucket = shard_id % self._buckets
        async with self._turns.setdefault(bucket, asyncio.Lock()):
            await asyncio.sleep(self._free_at.get(bucket, 0.0) - time.monotonic())
            try:
                await self._wait_for_others(f"{application_id} identify", bucket)
            except DatabaseError as error:  # being connected to Discord must not depend on the database
                log.warning(
                    "a shard identifies itself without asking others", shard=shard_id, error=str(error)
                )
            self._free_at[bucket] = time.monotonic() + self._apart_s

    async def _wait_for_others(self, name: str, bucket: int) -> None:
        if self._url is None:
            return
        locks = await asyncio.to_thread(AdvisoryLocks, self._url)
        try:
            taken = await asyncio.to_thread(locks.take, name, bucket)
            while not taken:
                await asyncio.sleep(ASK_EVERY_S)
                taken = await asyncio.to_thread(locks.take, name, bucket)
        except BaseException:
            locks.close()
            raise
        asyncio.get_running_loop().call_later(self._apart_s, locks.close)
