"""The worker: runs trainings from the durable queue, one at a time in this process.

A process has one DBOS instance, and so one worker: starting a second worker stops the first.
"""

import fcntl
import os
import threading
import time
from typing import IO

import structlog
from dbos import DBOS, DBOSConfig

from bot.infra.durability import wait_for_room
from bot.infra.storage.opening import open_storage
from bot.infra.watching.metrics import Metrics
from bot.settings import Settings, SettingsError
from bot.training.jobs.queue import APPLICATION, QUEUE, VERSION
from bot.training.jobs.workflows import JobContext, bind
from models import Database

log = structlog.stdlib.get_logger(__name__)

# A trainer that is told to stop saves a checkpoint first.
SHUTDOWN_S = 30.0

_starting = threading.Lock()
_running: "JobWorker | None" = None


class JobWorker:
    """Runs trainings from the queue; `start` and `stop` block.

    Args:
        settings: settings of the host.
        database: holds the jobs.
        executor_id: name of this process in the queue, up to 60 letters, digits, dots, dashes or underscores.
        trains: whether this process trains; False leaves the trainings to other processes.
        metrics: of this process.

    Attributes:
        storage: has what trainings need and make.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        executor_id: str,
        trains: bool = True,
        metrics: Metrics | None = None,
    ) -> None:
        self._settings = settings
        self._trains = trains
        self._executor_id = executor_id
        self.storage = open_storage(settings)
        self._context = JobContext(settings, database, self.storage, metrics or Metrics())
        self._lock: IO[str] | None = None

    def claim(self) -> None:
        """Acquire the lock of this name until `stop`; `start` calls this too.

        Raises:
            SettingsError: another process of the same name uses this data directory.
        """
        with _starting:
            if _running is not None and _running is not self:
                _running.stop()
            if self._lock is None:
                self._lock = self._claim()

    def start(self) -> None:
        """Open the queue, resume what a killed process of this name left, and begin to work.

        Raises:
            SettingsError: another process of the same name uses this data directory.
        """
        global _running
        self.claim()
        if not self._trains:
            return
        with _starting:
            bind(self._context)
            config: DBOSConfig = {
                "name": APPLICATION,
                "system_database_url": self._settings.jobs_database_url,
                "application_version": VERSION,
                "executor_id": self._executor_id,
                "log_level": "WARNING",
                "use_listen_notify": False,
            }
            wait_for_room()
            DBOS(config=config)
            DBOS.launch()
            DBOS.register_queue(
                QUEUE,
                worker_concurrency=1,
                polling_interval_sec=self._settings.jobs_poll_s,
                on_conflict="always_update",
            )
            _running = self
        log.info("job worker started", executor=self._executor_id)

    def stop(self) -> None:
        """Stop. The running training saves a checkpoint, and its job resumes after the next start."""
        global _running
        self._context.stopping.set()
        if _running is not self:
            self._release()
            return
        deadline = time.monotonic() + SHUTDOWN_S
        while self._context.slot.locked() and time.monotonic() < deadline:
            time.sleep(0.05)
        DBOS.destroy()
        bind(None)
        _running = None
        self._release()
        log.info("job worker stopped", executor=self._executor_id)

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _claim(self) -> IO[str]:
        """Acquire the lock of this name, and write the process id into it."""
        path = self.storage.layout.lock(self._executor_id)
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise SettingsError(
                f"process {holder} already works on {self._settings.data_dir} as “{self._executor_id}”: "
                "end it first, or give this one another PASTICHE_EXECUTOR_ID"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file
