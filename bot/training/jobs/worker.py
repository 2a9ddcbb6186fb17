"""The worker: runs trainings from the durable queue, one at a time in this process.

A process has one DBOS instance, and so one worker: starting a second worker stops the first.
"""

import threading
import time
from collections.abc import Callable

import structlog
from dbos import DBOS, DBOSConfig
from dbos._error import DBOSException

from bot.infra.durability import wait_for_room
from bot.infra.hosts import watch
from bot.infra.hosts.sign_of_life import SignOfLife, Superseded
from bot.infra.storage.opening import open_storage
from bot.infra.watching.metrics import Metrics
from bot.settings import Settings, SettingsError
from bot.training.jobs.caretaker import Caretaker
from bot.training.jobs.context import JobContext, bind
from bot.training.jobs.queue import APPLICATION, QUEUE, VERSION, JobQueue
from models import Database, DatabaseError
from models.connection.engine import parse_url
from models.connection.errors import one_clear_line

log = structlog.stdlib.get_logger(__name__)

# A trainer that is told to stop saves a checkpoint first.
SHUTDOWN_S = 30.0
# DBOS's connections of a process: its poll, a step, and some to spare.
CONNECTIONS = 4

_starting = threading.Lock()
_running: "JobWorker | None" = None


class JobWorker:
    """Runs trainings from the queue and looks after it; `start` and `stop` block.

    Args:
        settings: settings of the host.
        database: holds the jobs.
        queue: the queue.
        kind: what the process is, ``bot`` or ``worker``.
        trains: whether this process trains; False leaves the trainings to other processes.
        once: whether it takes one job only.
        superseded: called from a thread with the reason why this process must end.
        metrics: of this process.

    Attributes:
        storage: has what trainings need and make.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        queue: JobQueue,
        *,
        kind: str,
        superseded: Callable[[Superseded], None],
        trains: bool = True,
        once: bool = False,
        metrics: Metrics | None = None,
    ) -> None:
        self._settings, self._queue, self._trains = settings, queue, trains
        self.storage = open_storage(settings)
        self._context = JobContext(settings, database, self.storage, metrics or Metrics(), once=once)
        self._lost_name = superseded
        self._host = SignOfLife(
            settings, database, kind, superseded=self._superseded, died=lambda: self._caretaker.look_now()
        )
        self._caretaker = Caretaker(queue, database, self._host.is_dead)

    def claim(self) -> None:
        """Acquire the lock of this process's name until `stop`; `start` calls this too.

        Raises:
            SettingsError: another process of the same name uses this data directory.
        """
        with _starting:
            if _running is not None and _running is not self:
                _running.stop()
            self._host.lock()

    def start(self) -> None:
        """Take the name, open the queue, resume what a dead process left, and begin to work.

        Raises:
            SettingsError: another process of the same name uses this data directory, or the queue is another
                project's.
            DatabaseError: a database cannot be used.
        """
        global _running
        self.claim()
        if self._host.begin():
            log.warning("another process had this name: waiting for it to notice", seconds=2 * watch.EVERY_S)
            self._context.stopping.wait(2 * watch.EVERY_S)
        if self._trains:
            with _starting:
                bind(self._context)
                self._launch()
                _running = self
        else:
            self._queue.prepare()
        self._queue.reconcile(self._host.is_dead)
        self._caretaker.start()
        log.info("job worker started", executor=self._host.executor, trains=self._trains)

    def is_idle(self) -> bool:
        """Return whether a worker that takes one job only has nothing to do any more.

        Raises:
            DatabaseError: a database cannot be used now.
        """
        if self._context.first_turn:
            return self._context.ended.is_set()
        return not self._queue.has_work(self._host.executor)

    def took_a_job(self) -> bool:
        """Return whether a job came to this process."""
        return bool(self._context.first_turn)

    def stop(self) -> None:
        """Stop. The running training saves a checkpoint, and its job goes on elsewhere, or here later."""
        global _running
        self._context.stopping.set()
        self._caretaker.stop()
        if _running is self:
            deadline = time.monotonic() + SHUTDOWN_S
            while self._context.slot.locked() and time.monotonic() < deadline:
                time.sleep(0.05)
            DBOS.destroy()
            bind(None)
            _running = None
            try:
                self._queue.hand_back_all(self._host.executor)
            except DatabaseError as error:
                log.warning("the turns of this process are not handed back", error=str(error))
            log.info("job worker stopped", executor=self._host.executor)
        self._host.end()

    def _superseded(self, reason: Superseded) -> None:
        self._context.stopping.set()
        self._lost_name(reason)

    def _launch(self) -> None:
        url = parse_url(self._settings.jobs_database_url)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": self._settings.jobs_database_url,
            "application_version": VERSION,
            "executor_id": self._host.executor,
            "sys_db_pool_size": CONNECTIONS,
            "log_level": "WARNING",
            "use_listen_notify": False,
        }
        wait_for_room()
        try:
            with one_clear_line(url):
                DBOS(config=config)
                DBOS.launch()
                DBOS.register_queue(
                    QUEUE,
                    worker_concurrency=1,
                    polling_interval_sec=self._settings.jobs_poll_s,
                    on_conflict="always_update",
                )
        except DBOSException as error:
            DBOS.destroy()
            raise SettingsError(
                f"the job queue cannot be used ({str(error).split('. ')[0]}): name a database of this "
                "project's own in PASTICHE_JOBS_DATABASE_URL"
            ) from error
