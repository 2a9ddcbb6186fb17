"""A process of the project whose trainer only counts (`tests.support.bot.stub_worker`), with its log."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.support.bot.processes import wait_for

ROOT = Path(__file__).parents[3]
STARTED = "job worker started"


class StubProcess:
    """`pastiche COMMAND` with trainers that only count.

    Args:
        folder: of its log.
        name: its PASTICHE_NAME.
        seconds: how long each training takes; "asked": as long as the job says.
        bundle: what each training gives.
        command: of `pastiche`, such as "worker" or "run", with its options.
        environment: its settings.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        seconds: float | str,
        bundle: Path,
        command: tuple[str, ...],
        environment: Mapping[str, str],
    ) -> None:
        self.name = name
        self.log = folder / f"{name}-{time.monotonic_ns()}.log"
        self._file = self.log.open("ab")
        stub = ["-m", "tests.support.bot.stub_worker", str(seconds), str(bundle), *command]
        self.process = subprocess.Popen(
            [sys.executable, *stub],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "DISCORD_TOKEN"}
            | {"PASTICHE_JOBS_POLL_S": "0.2", "PASTICHE_NAME": name}
            | environment,
            stdout=self._file,
            stderr=subprocess.STDOUT,
        )

    def said(self) -> str:
        return self.log.read_text()

    def trainers(self) -> list[psutil.Process]:
        """The trainers of a worker: it has no other children."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            return []

    def wait_ready(self) -> None:
        wait_for(lambda: STARTED in self.said(), message=self.said)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        self.signal(signal.SIGTERM)
        return self.process.wait(90)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._file.close()
