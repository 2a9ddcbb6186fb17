"""The heartbeat and the pages of a process that has no event loop of its own: a worker."""

import asyncio
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import structlog

from bot.infra.health import Heartbeat
from bot.infra.watching.metrics import Metrics
from bot.infra.watching.readiness import WELL, Readiness
from bot.infra.watching.server import WatchServer
from bot.infra.watching.sources import Sources
from bot.settings import Settings
from models import Database

log = structlog.stdlib.get_logger(__name__)

LOOK_EVERY_S = 10.0


class WatchThread:
    """A thread with an event loop that looks after what the worker needs; `start` and `stop` block.

    Args:
        settings: name the address, if something is to be served.
        path: path of the heartbeat file.
        metrics: of this process.
        database: of this process.
        readiness: the parts that the worker needs.
    """

    def __init__(
        self,
        settings: Settings,
        path: Path,
        metrics: Metrics,
        database: Database,
        readiness: Readiness,
    ) -> None:
        self._readiness = readiness
        self._well_at: float | None = None
        self._heartbeat = Heartbeat(
            path, lambda: True, connected_at=lambda: self._well_at, kind="worker", needs="database and queue"
        )
        sources = Sources("worker", metrics, database, settings.data_dir, self._heartbeat)
        address = settings.metrics_address
        self._server = address and WatchServer(address, metrics, readiness, sources.look)
        self._ended: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve the pages and begin to write the heartbeat.

        Raises:
            SettingsError: nothing can be served on the address.
        """
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(started)), name="watching", daemon=True
        )
        self._thread.start()
        started.result()

    def stop(self) -> None:
        """Stop serving, and delete the heartbeat file."""
        if self._loop is None or self._ended is None or self._thread is None:
            return
        self._heartbeat.stop()
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    async def _run(self, started: "Future[None]") -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        try:
            if self._server:
                await self._server.start()
        except BaseException as error:  # noqa: BLE001 - whoever started the thread raises it
            self._loop = None  # there is nothing to stop
            started.set_exception(error)
            return
        self._heartbeat.start(self._loop)
        started.set_result(None)
        while not self._ended.is_set():
            lacking = {part: said for part, said in (await self._readiness.look()).items() if said != WELL}
            if lacking:
                log.warning("not ready", **lacking)
            else:
                self._well_at = time.time()
            try:
                await asyncio.wait_for(self._ended.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue
        if self._server:
            await self._server.close()
