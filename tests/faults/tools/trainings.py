"""Trainings at the shell, as small as they can be, in processes that can be killed."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import IO, Any

from tests.faults.tools.faulty_disk import FaultyDisk
from textgen.corpus import shakespeare

ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def corpus(characters: int) -> str:
    """Return so much of the plays from their beginning."""
    return "\n".join(shakespeare.plays())[:characters]


def endless_corpus() -> str:
    """Return a text whose fifty epochs take minutes on any machine, so that only a wish ends its training."""
    return corpus(400_000)


def lay_out(folder: Path, characters: int = 30_000) -> Path:
    """Make a data folder with a corpus."""
    folder.mkdir(parents=True)
    (folder / "input.txt").write_text(corpus(characters), encoding="utf-8")
    return folder


def arguments(data: Path, *flags: str) -> list[str]:
    """Return the arguments of a tiny training that tells its events.

    Args:
        data: holds the corpus.
        flags: more of the command's.
    """
    # One layer: with two, Keras takes half as long again to trace the first step.
    small = ("--preset", "tiny", "--num-layers", "1", "--rnn-size", "32", "--embedding-size", "32")
    return ["train", "--data-dir", str(data), *small, "--random-seed", "1", "--events", *flags]


def start_cold(data: Path, *flags: str) -> Process:
    """Start a training in a new interpreter, which takes seconds to import Keras.

    Args:
        data: holds the corpus.
        flags: more of the command's.
    """
    said, told = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
    command = [sys.executable, "-m", "textgen", *arguments(data, *flags)]
    streams = [(os.POSIX_SPAWN_DUP2, told.fileno(), 1), (os.POSIX_SPAWN_DUP2, said.fileno(), 2)]
    pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=streams)
    return Process(pid, said, told)


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
        from textgen.training.loop import optimizing, trainer  # noqa: F401
        from textgen.training.reporting import plotting  # noqa: F401

        if not compiled:
            optimizing.worth_compiling = lambda settings, **network: False

    def start(self, data: Path, *flags: str, disk: FaultyDisk | None = None) -> Process:
        """Start a training.

        Args:
            data: holds the corpus.
            flags: more of the command's.
            disk: what stands between it and its files.
        """
        # Files, because a pipe that nobody reads would hold it up.
        said, told = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        pid = os.fork()
        if pid:
            return Process(pid, said, told)
        status = 70
        try:
            os.dup2(told.fileno(), 1)
            os.dup2(said.fileno(), 2)
            if disk is not None:
                disk.install()
            from textgen import cli

            status = 0
            sys.argv = ["textgen", *arguments(data, *flags)]
            cli.main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException:  # noqa: BLE001 -- its exit code and words tell of it
            status = 70
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


class Process:
    """A training in a process of its own.

    Attributes:
        pid: of the process.
    """

    def __init__(self, pid: int, said: IO[bytes], told: IO[bytes]) -> None:
        self.pid = pid
        self._said, self._told = said, told
        self._exit_code: int | None = None

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it has told on its standard output until now."""
        lines = os.pread(self._told.fileno(), 1 << 26, 0).decode().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    @property
    def errors(self) -> str:
        """What it has said on its standard error."""
        return os.pread(self._said.fileno(), 1 << 20, 0).decode()

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
