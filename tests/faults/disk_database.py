"""kill -9, EIO and ENOSPC at every write and flush of the database: settings, publishing, a migration.

Each time the database is sound and holds the old or the new, never half; who asked is told which; trying
again succeeds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from alembic.script import ScriptDirectory

import migrations
from benchmarks.figures import Figure
from migrations.runner import configuration
from models import Database, DatabaseError, guilds, training_jobs
from tests.faults.tools import needs
from tests.support.rows import new_job, new_model

MINUTES = 4.0
NEEDS = (needs.strace,)
_GUILD = 11
_FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")
_CALLS = ("pwrite64", "fsync,fdatasync")
_REFUSED, _OTHER = 3, 4


@dataclass(frozen=True)
class _Change:
    """Something that changes the database.

    Attributes:
        name: of it.
        before: makes the database that it begins with.
        make: does it.
        seen: what a reader sees of it.
        step: between the writes that fail.
    """

    name: str
    before: Callable[[Path], None]
    make: Callable[[Path], None]
    seen: Callable[[sqlite3.Connection], object]
    step: int = 1


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Cut each change at each place."""
    for change in _CHANGES[:1] if short else _CHANGES:
        base, whole = folder / f"{change.name}.sqlite", folder / f"{change.name}-new.sqlite"
        change.before(base)
        _settle(base)
        shutil.copy(base, whole)
        change.make(whole)
        old, new = _look(base, change), _look(whole, change)
        assert old != new
        cuts = struck = bad = 0
        for fault in _FAULTS[1:] if short else _FAULTS:
            for call in _CALLS:
                number = 1
                while True:
                    hit, problem = _cut(folder, base, change, f"{call}:{fault}", number, (old, new))
                    cuts, struck = cuts + 1, struck + hit
                    if problem:
                        bad += 1
                        print(f"{change.name}: {call} {number} {fault}: {problem}")
                    if not hit:
                        break
                    number += change.step if call == "pwrite64" else 1
        yield Figure(f"{change.name}: {struck} cuts: half, unsound or untold", bad, "", "≤ 0")
        yield Figure(f"{change.name}: cuts that struck", struck, "", "≥ 3")


def _cut(
    folder: Path, base: Path, change: _Change, inject: str, number: int, states: tuple[object, object]
) -> tuple[bool, str]:
    """Make the change with one fault; return whether it struck, and what is wrong."""
    path = folder / "case" / "pastiche.sqlite"
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    shutil.copy(base, path)
    exit_code, hit = _traced(folder / "trace", inject, number, lambda: change.make(path))
    found = _look(path, change)
    if found not in states:
        return hit, f"half: {found}"
    if exit_code == _OTHER:
        return hit, "another error than a DatabaseError"
    if (exit_code == 0 and found != states[1]) or (exit_code == _REFUSED and found != states[0]):
        return hit, f"told {exit_code}, which is not so"
    if found != states[1]:
        change.make(path)
        if _look(path, change) != states[1]:
            return hit, "trying again does not help"
    return hit, ""


def _traced(log: Path, inject: str, number: int, make: Callable[[], None]) -> tuple[int, bool]:
    """Fork, let strace strike the n-th call, and return the exit code and whether it struck."""
    call = inject.partition(":")[0]
    pid = os.fork()
    if not pid:
        status = _OTHER
        try:
            os.kill(os.getpid(), signal.SIGSTOP)
            make()
            status = 0
        except DatabaseError:
            status = _REFUSED
        finally:
            os._exit(status)
    os.waitpid(pid, os.WUNTRACED)
    tracer = subprocess.Popen(
        [
            *("strace", "-p", str(pid), "-o", str(log), "-e", f"trace={call}"),
            *("-e", f"inject={inject}:when={number}{'+' if 'ENOSPC' in inject else ''}"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tracer.stderr is not None
    tracer.stderr.readline()  # "attached"
    os.kill(pid, signal.SIGCONT)
    _, status = os.waitpid(pid, 0)
    tracer.communicate()
    exit_code = os.waitstatus_to_exitcode(status)
    return exit_code, exit_code == -signal.SIGKILL or "INJECTED" in log.read_text()


def _look(path: Path, change: _Change) -> object:
    """Return what a reader sees after a restart."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        sound = connection.execute("pragma integrity_check").fetchone()[0]
        seen = change.seen(connection)
    return seen if sound == "ok" else sound


def _settle(path: Path) -> None:
    """Put everything into the one file, and remove backups of migrations."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    for backup in path.parent.glob("*backup*"):
        backup.unlink()


@contextlib.contextmanager
def _database(path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{path}")
    try:
        yield database
    finally:
        database.dispose()


def _newest(path: Path) -> None:
    migrations.upgrade(f"sqlite:///{path}")


def _oldest(path: Path) -> None:
    migrations.upgrade(f"sqlite:///{path}")
    script = ScriptDirectory.from_config(configuration())
    (first,) = [each.revision for each in script.walk_revisions() if each.down_revision is None]
    migrations.downgrade(f"sqlite:///{path}", first)


def _with_a_job(path: Path) -> None:
    _newest(path)
    with _database(path) as database, database.write() as session:
        job = new_job(session, _GUILD)
        training_jobs.start(session, _GUILD, job.id)


def _edit(path: Path) -> None:
    with _database(path) as database, database.write() as session:
        guilds.edit(session, _GUILD, temperature=0.5, hidden_words="nothing\n" * 200)


def _publish(path: Path) -> None:
    with _database(path) as database, database.write() as session:
        (job,) = training_jobs.listing(session, _GUILD)
        model = new_model(session, _GUILD, job.corpus_id, training_job_id=job.id)
        training_jobs.finish(session, _GUILD, job.id, attempt=1, model_id=model.id, validation_loss=1.5)


def _all(*queries: str) -> Callable[[sqlite3.Connection], object]:
    return lambda connection: [connection.execute(query).fetchall() for query in queries]


_CHANGES = (
    _Change("settings", _newest, _edit, _all("select temperature, hidden_words from guild_settings")),
    _Change(
        "publishing",
        _with_a_job,
        _publish,
        _all("select name, training_job_id is not null from text_model", "select state from training_job"),
    ),
    _Change(
        "migration",
        _oldest,
        _newest,
        _all("select version_num from alembic_version", "select name from sqlite_master order by name"),
        step=9,
    ),
)
