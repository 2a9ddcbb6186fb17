"""The heartbeat and the pages of a worker, which works in a thread beside the event loop."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from bot.infra.health import Heartbeat
from bot.infra.watching.metrics import Metrics
from bot.infra.watching.readiness import WELL, Readiness
from bot.infra.watching.server import served
from bot.infra.watching.sources import Sources
from bot.settings import Settings
from models import Database

log = structlog.stdlib.get_logger(__name__)

LOOK_EVERY_S = 10.0


@contextlib.asynccontextmanager
async def watched(
    settings: Settings, path: Path, metrics: Metrics, database: Database, readiness: Readiness
) -> AsyncIterator["Looks"]:
    """Write the heartbeat of a worker, and serve its pages, while the block runs.

    Args:
        settings: name the address, if something is to be served.
        path: path of the heartbeat file.
        metrics: of this process.
        database: of this process.
        readiness: the parts that the worker needs.

    Yields:
        What looks at these parts, once it is told to.

    Raises:
        SettingsError: nothing can be served on the address.
    """
    looks = Looks(readiness)
    heartbeat = Heartbeat(
        path, lambda: True, connected_at=lambda: looks.well_at, kind="worker", needs="database and queue"
    )
    sources = Sources("worker", metrics, database, settings.data_dir, heartbeat)
    async with served(settings.metrics_address, metrics, readiness, sources.look):
        heartbeat.start(asyncio.get_running_loop())
        try:
            yield looks
        finally:
            heartbeat.stop()
            looks.end()


class Looks:
    """Looks at the parts that a worker needs. Before it has started, there may be no queue yet.

    Attributes:
        well_at: when all of them were ready, in Unix seconds; None if they never were.
    """

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness
        self._task: asyncio.Task[None] | None = None
        self.well_at: float | None = None

    def begin(self) -> None:
        """Look, and again every few seconds."""
        self._task = asyncio.create_task(self._go_on())

    def end(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _go_on(self) -> None:
        while True:
            lacking = {part: said for part, said in (await self._readiness.look()).items() if said != WELL}
            if lacking:
                log.warning("not ready", **lacking)
            else:
                self.well_at = time.time()
            await asyncio.sleep(LOOK_EVERY_S)
