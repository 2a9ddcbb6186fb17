"""Starts child processes, with an allow-listed environment and a session of their own.

Other variables do not reach a child, so neither the token nor the database URL does.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from textgen.files import bases

ALLOWED = frozenset(
    {
        "CUDA_DEVICE_ORDER",
        "CUDA_VISIBLE_DEVICES",
        "HOME",
        "KERAS_BACKEND",
        "KERAS_HOME",
        "LANG",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "NVIDIA_DRIVER_CAPABILITIES",
        "NVIDIA_VISIBLE_DEVICES",
        "PATH",
        "PYTHONPATH",
        "SSL_CERT_FILE",
        "SYSTEMROOT",
        "TMPDIR",
        "TZ",
        "VIRTUAL_ENV",
    }
)


def child_environment(extra: Mapping[str, str] | None = None, *, home: Path | None = None) -> dict[str, str]:
    """Return the environment of a child: allow-listed variables, UTF-8, unbuffered, and `extra`.

    Args:
        extra: further variables.
        home: folder for the child's home, caches and temporary files; it is created. None keeps the bot's
            own home.
    """
    kept = {name: value for name, value in os.environ.items() if name in ALLOWED}
    kept[bases.VARIABLE] = str(bases.folder())  # which another home would hide
    if home is not None:
        places = {"HOME": home, "XDG_CACHE_HOME": home / "cache", "TMPDIR": home / "tmp"}
        for name, place in places.items():
            with contextlib.suppress(OSError):  # the child reports a full disk
                place.mkdir(parents=True, exist_ok=True, mode=0o700)
                kept[name] = str(place)
    return kept | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"} | dict(extra or {})


def thread_limits(threads: int) -> dict[str, str]:
    """Return variables that limit the threads of the numeric libraries (0: no limit)."""
    if not threads:
        return {}
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), str(threads))


def processor_s(pid: int) -> float | None:
    """Return the processor time that a process has used, in seconds; None if the system does not say."""
    try:
        fields = _fields(Path(f"/proc/{pid}/stat"))
        return (int(fields[11]) + int(fields[12])) / 100  # a clock tick is 10 ms on every Linux
    except (OSError, ValueError, IndexError):
        return None


def is_runnable(pid: int) -> bool:
    """Whether a thread of a process runs or waits for a processor; False if the system does not say."""
    try:
        states = [_fields(stat)[0] for stat in Path(f"/proc/{pid}/task").glob("*/stat")]
    except (OSError, IndexError):
        return False
    return "R" in states


def _fields(stat: Path) -> list[str]:
    """Return the fields of a process or a thread that follow the name of its program, in Linux' order."""
    return stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()


@dataclass(frozen=True)
class Child:
    """A started process and the three streams to it, as UTF-8 text."""

    process: subprocess.Popen[str]
    stdin: IO[str]
    stdout: IO[str]
    stderr: IO[str]

    def close_input(self) -> None:
        """Close the child's standard input; the child may have ended already."""
        with contextlib.suppress(OSError):
            self.stdin.close()

    def kill(self) -> None:
        """Kill the child at once; unfinished writes are lost."""
        self.process.kill()

    def wait_or_kill(self, grace_s: float) -> int:
        """Wait for the end; after `grace_s` seconds terminate the child, after as long again kill it.

        Returns:
            The exit code; if negative, the signal that ended it.
        """
        for last_resort in (self.process.terminate, self.process.kill):
            try:
                return self.process.wait(grace_s)
            except subprocess.TimeoutExpired:
                last_resort()
        return self.process.wait()


def start_child(arguments: Sequence[str], *, environment: Mapping[str, str]) -> Child:
    """Start `python ARGUMENTS` with all three streams as UTF-8 text pipes.

    It gets a session of its own, so that a Ctrl-C at the terminal reaches only the bot, which then ends its
    children in an orderly way.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        start_new_session=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise OSError("the child process came without its pipes")
    return Child(process, process.stdin, process.stdout, process.stderr)
