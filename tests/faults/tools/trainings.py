"""Trainings at the shell, as small as they can be, in processes that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from textgen.corpus import shakespeare

ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def corpus(characters: int) -> str:
    """Return the beginning of a play."""
    return shakespeare.plays()[0][:characters]


def lay_out(folder: Path, characters: int = 30_000) -> Path:
    """Make a data folder with a corpus."""
    folder.mkdir(parents=True)
    (folder / "input.txt").write_text(corpus(characters), encoding="utf-8")
    return folder


def arguments(data: Path, *flags: str) -> list[str]:
    """Return the arguments of a tiny training that tells its events."""
    small = ("--preset", "tiny", "--rnn-size", "32", "--embedding-size", "32", "--random-seed", "1")
    return ["train", "--data-dir", str(data), *small, "--events", *flags]


def start(data: Path, *flags: str) -> subprocess.Popen[str]:
    """Start a training as a command; its events come on its standard output."""
    return subprocess.Popen(
        [sys.executable, "-m", "textgen", *arguments(data, *flags)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | ONE_THREAD,
    )


class Nursery:
    """Forks trainings off a process that has imported Keras, so that each begins within a second.

    Nothing is computed before the fork, so the children share no state but what imports leave.
    """

    def __init__(self, *, compiled: bool = True) -> None:
        """Import Keras.

        Args:
            compiled: False leaves out XLA, which takes seconds for each training of the linear cell.
        """
        os.environ.update(ONE_THREAD)
        import keras  # noqa: F401

        from textgen.training import optimizing

        if not compiled:
            optimizing.worth_compiling = lambda settings: False

    def start(self, data: Path, *flags: str) -> Forked:
        """Start a training; its events come on its standard output."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            return Forked(pid, os.fdopen(reading, encoding="utf-8"))
        status = 70
        try:
            os.dup2(writing, 1)
            os.close(reading)
            sys.stdout = os.fdopen(1, "w", encoding="utf-8", buffering=1)
            from textgen import cli

            status = 0
            sys.argv = ["textgen", *arguments(data, *flags)]
            cli.main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        finally:
            sys.stdout.flush()
            os._exit(status)


class Forked:
    """A forked training.

    Attributes:
        pid: of the process.
        stdout: its events.
    """

    def __init__(self, pid: int, stdout: IO[str]) -> None:
        self.pid, self.stdout = pid, stdout
        self._exit_code: int | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        if self._exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code is None

    def kill(self) -> int:
        """End it by kill -9 unless it has ended; return its exit code."""
        if self.running:
            os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; return the exit code, negative for a signal."""
        if self._exit_code is None:
            _, status = os.waitpid(self.pid, 0)
            self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code
