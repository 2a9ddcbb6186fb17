"""This process among the others: its name, its signs of life, and which other processes are dead.

On SQLite all processes are on one machine and one data directory, so the lock of a name tells exactly who
lives. With a database server each process gives a sign of life every few seconds, and observers count how
long it stands still.
"""

import contextlib
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bot.infra.file_locks import is_held
from bot.infra.hosts.name_lock import NameLock
from bot.infra.hosts.watch import EVERY_S, Watch
from bot.infra.paths import Layout
from bot.infra.version import installed_version
from bot.settings import Settings
from models import Database, DatabaseError, Host, hosts

log = structlog.stdlib.get_logger(__name__)

BOT, WORKER = "bot", "worker"
LONGEST_NAME = 100


class Superseded(Exception):
    """A later process has taken this one's name, so this one ends; `str()` is one line."""

    exit_code = 3


class SignOfLife:
    """The name of this process, and its place among the others.

    Args:
        settings: settings of the host; its name is in them.
        database: holds the table of processes.
        kind: ``bot`` or ``worker``.
        superseded: called once, from the thread, with the reason why this process must end.
        died: called from the thread if another process has died.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        kind: str,
        *,
        superseded: Callable[[Superseded], None],
        died: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._layout = Layout(settings.data_dir)
        self._superseded, self._died = superseded, died
        name = own_name(settings, kind)
        self._own = Host(kind=kind, name=name, process_id=uuid4().hex, version=installed_version())
        self._lock = NameLock(self._layout.lock(f"{kind}-{name}"))
        self._shares_a_server = database.url.get_backend_name() != "sqlite"
        self._watch = Watch()
        self._watching = threading.Lock()
        self._strangers: set[str] = set()
        self._dead: set[str] = set()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def executor(self) -> str:
        """The name of this process in the job queue: unique, even if an earlier process had its name."""
        return executor_of(self._own)

    def lock(self) -> None:
        """Let no other process of this name work on this data directory.

        Raises:
            SettingsError: one does so.
        """
        self._lock.claim(self._own.process_id)

    def begin(self) -> bool:
        """Take the name, and begin to give signs of life.

        Returns:
            Whether an earlier process of the name may still be at work elsewhere. It notices within
            `EVERY_S` seconds that it has lost the name.

        Raises:
            DatabaseError: the database cannot be used.
        """
        before = None
        for _ in range(2):
            with contextlib.suppress(IntegrityError), self._database.write() as session:
                before = hosts.claim(session, self._own)
                break
        if not self._shares_a_server:
            return False
        self._thread = threading.Thread(target=self._live, name="sign-of-life", daemon=True)
        self._thread.start()
        return before not in (None, self._lock.before)

    def end(self) -> None:
        """Stop, and record the orderly end; once is enough."""
        if self._ended.is_set():
            return
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        if self._own.incarnation is not None:  # otherwise it never began
            with contextlib.suppress(DatabaseError), self._database.write() as session:
                hosts.leave(session, self._own)
        self._lock.release()

    def is_dead(self, executor: str) -> bool:
        """Return whether a process, by its name in the job queue, is surely dead, or has lost its name to us.

        A process without a row, such as one of an earlier version, counts as dead once this was asked for as
        long as a sign of life may stand still.
        """
        name, _, incarnation = executor.rpartition(":")
        if name == f"{self._own.kind}-{self._own.name}":
            return int(incarnation) < self._own.incarnation
        if not self._shares_a_server:
            return not is_held(self._layout.lock(name or executor))
        with self._watching:
            self._strangers.add(executor)
            return self._watch.is_dead(executor)

    def _live(self) -> None:
        failing = False
        while True:
            try:
                with self._database.write() as session:
                    ours = hosts.sign(session, self._own)
                    living = hosts.living(session)
            except (DatabaseError, SQLAlchemyError) as error:
                if not failing:
                    log.warning("no sign of life given", error=str(error))
                failing = True
                with self._watching:
                    self._watch.forget()
            else:
                failing = False
                if not ours:
                    self._superseded(_reason(living, self._own))
                    return
                if self._look(living):
                    self._died()
            if self._ended.wait(EVERY_S):
                return

    def _look(self, living: Sequence[Host]) -> bool:
        """Take in the signs of life of others; return whether one has died since the last look."""
        signs: dict[str, object] = {executor_of(host): host.seen_at for host in living}
        with self._watching:
            self._watch.look(dict.fromkeys(self._strangers) | signs, time.monotonic())
            dead = {executor for executor in signs if self._watch.is_dead(executor)}
        for executor in sorted(dead - self._dead):
            log.warning("a process has died", executor=executor)
        died, self._dead = bool(dead - self._dead), dead
        return died


def executor_of(host: Host) -> str:
    """Return the name of a process in the job queue."""
    return f"{host.kind}-{host.name}:{host.incarnation}"


def own_name(settings: Settings, kind: str) -> str:
    """Return the name of this process; workers of one machine that use different GPUs have different ones."""
    devices = os.environ.get("CUDA_VISIBLE_DEVICES", "").strip() if kind == WORKER else ""
    if devices in ("", "-1"):
        return settings.name
    return f"{settings.name}-gpu{re.sub(r'[^0-9A-Za-z]+', '-', devices)}"[:LONGEST_NAME]


def _reason(living: Sequence[Host], own: Host) -> Superseded:
    holder = next((host for host in living if (host.kind, host.name) == (own.kind, own.name)), own)
    return Superseded(
        f"another {own.kind} (version {holder.version}) has taken the name “{own.name}”: this one ends; "
        "give each process a PASTICHE_NAME of its own"
    )
