"""Reads what is measured only when somebody asks: servers, shards, the queue, the disk, the event loop."""

import asyncio
import datetime
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import discord
from sqlalchemy.exc import SQLAlchemyError

from bot.infra.health import Heartbeat
from bot.infra.version import installed_version
from bot.infra.watching.metrics import QUANTILES, Metrics
from models import Database, DatabaseError, JobState, training_jobs
from models.tables import UNFINISHED

# The database or the disk then counts as away.
PATIENCE_S = 3.0
# Whoever is connected was seen a moment ago.
CONNECTED_S = 5.0


class Sources:
    """Where the values come from that no event reports.

    Args:
        kind: `bot` or `worker`.
        metrics: of this process.
        database: has the queue's rows.
        data_dir: the folder whose disk is looked at.
        heartbeat: measures the event loop.
    """

    def __init__(
        self, kind: str, metrics: Metrics, database: Database, data_dir: Path, heartbeat: Heartbeat
    ) -> None:
        self._metrics = metrics
        self._database = database
        self._data_dir = data_dir
        self._heartbeat = heartbeat
        self._discord: Callable[[], None] = lambda: None
        self._slow: asyncio.Future[None] | None = None
        metrics.information.labels(kind, installed_version()).set(1)

    def add_discord(self, client: discord.AutoShardedClient, seen_at: Callable[[], float | None]) -> None:
        """Also read the client's servers and shards.

        Args:
            client: the Discord client.
            seen_at: returns when Discord was last known to be connected, in Unix seconds; None if never.
        """

        def read() -> None:
            self._metrics.guilds.set(len(client.guilds))
            self._metrics.connected.set(time.time() - (seen_at() or 0.0) < CONNECTED_S)
            for number, seconds in client.latencies:
                if math.isfinite(seconds):  # else the shard is not connected
                    self._metrics.shard_latency.labels(str(number)).set(seconds)
                else:
                    self._metrics.shard_latency.remove(str(number))

        self._discord = read

    async def look(self) -> None:
        """Read everything; what takes too long counts as away, and is not asked again until it answers."""
        self._discord()
        for quantile in QUANTILES:
            self._metrics.loop_lag.labels(f"{quantile:g}").set(self._heartbeat.lag_s(quantile))
        if self._slow is None:
            self._slow = asyncio.ensure_future(self._look_at_what_may_hang())
        await asyncio.wait({self._slow}, timeout=PATIENCE_S)
        if not self._slow.done():
            self._database_is_away()
            return
        done, self._slow = self._slow, None
        done.result()

    async def _look_at_what_may_hang(self) -> None:
        await asyncio.gather(self._look_at_queue(), asyncio.to_thread(self._look_at_disk))

    async def _look_at_queue(self) -> None:
        try:
            standing = await self._database.call(training_jobs.standing)
        except (DatabaseError, SQLAlchemyError):  # the tables may not be there yet
            self._database_is_away()
            return
        now = datetime.datetime.now(datetime.UTC)
        for state in UNFINISHED:
            jobs, oldest = standing.get(state, (0, now))
            self._metrics.queue_jobs.labels(state.value).set(jobs)
            if state is JobState.QUEUED:
                self._metrics.queue_oldest.set(max(0.0, (now - oldest).total_seconds()))
        self._metrics.database_up.set(1)

    def _database_is_away(self) -> None:
        """Show that nothing is known of the queue, rather than its last numbers."""
        self._metrics.database_up.set(0)
        self._metrics.queue_oldest.set(math.nan)
        for state in UNFINISHED:
            self._metrics.queue_jobs.labels(state.value).set(math.nan)

    def _look_at_disk(self) -> None:
        try:
            self._metrics.disk_free.set(shutil.disk_usage(self._data_dir).free)
        except OSError:
            self._metrics.disk_free.set(math.nan)
