"""Two bots on one data directory, and a newer release beside a running one: one works, nothing changes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from alembic.script import ScriptDirectory

import migrations
from benchmarks.figures import Figure
from migrations.runner import configuration
from tests.faults.harness import ROOT

MINUTES = 2.0
WAITS = True
_PATIENCE_S = 120.0
_NEWER = """
import sqlalchemy as sa
from alembic import op

revision = "zzzz"
down_revision = "{head}"
branch_labels = depends_on = None


def upgrade():
    op.add_column("training_job", sa.Column("tomorrow", sa.Integer()))


def downgrade():
    op.drop_column("training_job", "tomorrow")
"""


class _Worker:
    """A `pastiche worker` on a data directory."""

    def __init__(self, data: Path, number: int, code: Path = ROOT) -> None:
        self.log = data.parent / f"worker{number}.log"
        self.begun = time.monotonic()
        with self.log.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot", "worker"],
                cwd=code,
                env=os.environ | {"PASTICHE_DATA_DIR": str(data), "PYTHONPATH": str(code)},
                stdout=said,
                stderr=said,
            )

    @property
    def works(self) -> bool:
        """Whether it takes trainings."""
        return self.process.poll() is None and "job worker started" in self.log.read_text()

    def end(self) -> int:
        """End it in order."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_PATIENCE_S)


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Race, then start a newer one."""
    races = 1 if short else 10
    wrong, slowest = 0, 0.0
    for race in range(races):
        data = folder / f"race{race}" / "data"
        data.mkdir(parents=True)
        workers = [_Worker(data, number) for number in (1, 2)]
        losers = []
        while not losers and time.monotonic() - workers[0].begun < _PATIENCE_S:
            time.sleep(0.05)
            losers = [worker for worker in workers if worker.process.poll() is not None]
        winners = [worker for worker in workers if worker not in losers]
        while winners and not winners[0].works and winners[0].process.poll() is None:
            time.sleep(0.05)
        slowest = max(slowest, time.monotonic() - workers[0].begun)
        said = [worker.log.read_text().strip() for worker in losers]
        clear = len(said) == 1 and "already works on" in said[0] and "Traceback" not in said[0]
        wrong += not clear or losers[0].process.returncode != 1 or winners[0].end() != 0
        if not clear:
            print(said)
        for worker in workers:
            worker.process.kill()
    yield Figure(f"{races} races of two workers: without one clear winner", wrong, "", "≤ 0")
    yield Figure("races: slowest", slowest, "s", "≤ 60")
    yield from _newer(folder)


def _newer(folder: Path) -> Iterator[Figure]:
    """Start a release with one more revision beside one that runs: it must not migrate under its feet."""
    data, code = folder / "newer" / "data", folder / "newer" / "code"
    data.mkdir(parents=True)
    for package in ("bot", "textgen", "models", "migrations"):
        shutil.copytree(ROOT / package, code / package)
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    (code / "migrations" / "versions" / "99990101_newer.py").write_text(_NEWER.format(head=head))
    older = _Worker(data, 1)
    while not older.works:
        assert older.process.poll() is None, older.log.read_text()
        time.sleep(0.05)
    newer = _Worker(data, 2, code)
    exit_code = newer.process.wait(_PATIENCE_S)
    revision = migrations.current(f"sqlite:///{data}/pastiche.sqlite")
    print(newer.log.read_text()[-500:])
    yield Figure("a newer release beside it: database changed", revision != head, "", "≤ 0")
    yield Figure("a newer release beside it: exit code", exit_code, "", "≤ 1")
    yield Figure("a newer release beside it: exit code of the older one", older.end(), "", "≤ 0")
