"""What the steps of a training share in a process: settings, database, the end of the process."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from bot.infra.storage.errors import StorageError
from bot.infra.storage.storage import Storage
from bot.infra.watching.metrics import Metrics
from bot.settings import Settings
from models import Database, DatabaseError

log = structlog.stdlib.get_logger(__name__)

Result = TypeVar("Result")

SLOT_POLL_S = 1.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 5.0


class JobInterrupted(BaseException):
    """The process is shutting down: leave the workflow unfinished, so that it goes on elsewhere or later.

    Not an `Exception`, because DBOS would record that as the workflow's result.
    """


class JobLost(BaseException):
    """Another process has the training: leave everything to it.

    Not an `Exception`: DBOS would wait for the other process's result, and take no other turn meanwhile.
    """


@dataclass
class JobContext:
    """What the steps need. A process has one.

    Attributes:
        settings: settings of the host.
        database: holds the jobs.
        storage: has what trainings need and make.
        metrics: of this process.
        once: whether the process takes one job only.
        stopping: set when the process shuts down.
        slot: held while a job is in this process. Turns that were interrupted may come back all at once.
        first_turn: id of the first turn that found a job here; "" if none has.
        ended: set once that turn has ended.
    """

    settings: Settings
    database: Database
    storage: Storage
    metrics: Metrics = field(default_factory=Metrics)
    once: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)
    slot: threading.Lock = field(default_factory=threading.Lock)
    first_turn: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Check that the process is not shutting down.

        Raises:
            JobInterrupted: it is shutting down.
        """
        if self.stopping.is_set():
            raise JobInterrupted

    def wait(self, seconds: float) -> None:
        """Wait.

        Raises:
            JobInterrupted: the process is shutting down.
        """
        self.stopping.wait(seconds)
        self.check()

    @contextlib.contextmanager
    def only_one(self) -> Iterator[None]:
        """Wait until no other job is in this process, and hold its place.

        Raises:
            JobInterrupted: the process is shutting down.
        """
        self.check()
        while not self.slot.acquire(timeout=SLOT_POLL_S):
            self.check()
        try:
            yield
        finally:
            self.slot.release()

    def turn_ended(self, turn_id: str) -> None:
        """Note that a turn has ended in this process, in whatever way."""
        if turn_id == self.first_turn:
            self.ended.set()


_context: JobContext | None = None


def bind(context: JobContext | None) -> None:
    """Give the steps what they need, or take it away with None.

    DBOS offers instances of classes for this, but it never unregisters one, so a second worker in the process
    could not replace the first.
    """
    global _context
    _context = context


def bound() -> JobContext:
    """Return what the steps need.

    Raises:
        JobInterrupted: there is no worker in this process any more.
    """
    if _context is None:
        raise JobInterrupted
    return _context


def recorded(context: JobContext, record: Callable[[], Result]) -> Result:
    """Run a transaction, and retry it for as long as the database or the storage cannot be used.

    A full disk will have room again, and a server will come back. An exception would end the
    workflow, and its job would stay unfinished for ever.

    Raises:
        JobInterrupted: the process is shutting down; the step runs again after the next start.
    """
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return record()
        except (DatabaseError, StorageError) as error:
            log.warning("not recorded yet", error=str(error), next_try_s=wait_s)
        context.wait(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)
