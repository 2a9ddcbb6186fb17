"""Looks after the queue in a thread of every process: lost turns, dead processes, rows of long ago."""

import datetime
import threading
import time
from collections.abc import Callable

import structlog
from dbos._error import DBOSException
from sqlalchemy.exc import SQLAlchemyError

from bot.training.jobs.queue import DELETED_AT_A_TIME, KEPT, JobQueue
from models import Database, DatabaseError, hosts

log = structlog.stdlib.get_logger(__name__)

EVERY_S = 10.0
PRUNE_EVERY_S = 3600.0


class Caretaker:
    """Reconciles every ten seconds, and at once when it is told that a process has died.

    Args:
        queue: the queue.
        database: holds the table of processes.
        is_dead: returns whether the process of that name in the queue is dead.
    """

    def __init__(self, queue: JobQueue, database: Database, is_dead: Callable[[str], bool]) -> None:
        self._queue, self._database, self._is_dead = queue, database, is_dead
        self._wanted = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._care, name="caretaker", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def look_now(self) -> None:
        """Reconcile at once."""
        self._wanted.set()

    def stop(self) -> None:
        """Stop the thread, if it was started."""
        self._ended.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join()

    def _care(self) -> None:
        failing, pruned_s = False, -PRUNE_EVERY_S
        while True:
            self._wanted.wait(EVERY_S)
            if self._ended.is_set():
                return
            self._wanted.clear()
            try:
                self._queue.reconcile(self._is_dead)
                if time.monotonic() - pruned_s >= PRUNE_EVERY_S:
                    self._prune()
                    pruned_s = time.monotonic()
            except (DatabaseError, SQLAlchemyError, DBOSException) as error:
                if not failing:
                    log.warning("the queue cannot be looked after now", error=str(error))
                failing = True
            else:
                failing = False

    def _prune(self) -> None:
        now = datetime.datetime.now(datetime.UTC)
        while self._queue.prune(now) == DELETED_AT_A_TIME and not self._ended.is_set():
            pass
        with self._database.write() as session:
            hosts.forget(session, now - KEPT)
