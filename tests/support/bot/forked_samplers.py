"""Samplers of the tests: real processes with real pipes, forked off one that has imported the library.

A sampler takes most of its first second to import NumPy and the library, and the tests start some hundreds.
`tests/bot/generation/test_sampler_pool.py` starts them as the bot does.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from bot.infra.children.process import Child, child_environment, thread_limits

ROOT = Path(__file__).resolve().parents[3]
_LONGEST_REQUEST = 1_000_000


class ForkedProcess:
    """What `subprocess.Popen` is for a child of this process, for a child of the server.

    Attributes:
        pid: process id.
        returncode: as Popen's; None while it was not seen to end.
    """

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._status = status
        self._lock = threading.Lock()
        # It stays open as long as somebody may wait: at its end it is readable for all of them.
        weakref.finalize(self, os.close, status)

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        with self._lock:
            if self.returncode is None and select.select([self._status], [], [], 0)[0]:
                # The server tells nothing if it was killed itself.
                self.returncode = int(os.read(self._status, 100) or -signal.SIGKILL)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Raises:
            subprocess.TimeoutExpired: it still runs after so many seconds.
        """
        select.select([self._status], [], [], timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired("textgen serve", timeout or 0.0)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def start(arguments: Sequence[str], *, environment: Mapping[str, str]) -> Child:
    """Start a sampler as `bot.infra.children.process.start_child` does."""
    request = {"words": list(arguments[2:]), "folder": str(Path.cwd()), "environment": dict(environment)}
    theirs, ours = [], []
    for writes in (True, False, False, False):  # standard input, output and error, and how it ends
        reading, writing = os.pipe()
        theirs.append(reading if writes else writing)
        ours.append(writing if writes else reading)
    pid = _server().fork(request, theirs)
    for each in theirs:
        os.close(each)
    modes = ("w", "r", "r")
    streams = [os.fdopen(each, mode, encoding="utf-8", errors="replace") for each, mode in zip(ours, modes)]  # noqa: B905
    process = cast("subprocess.Popen[str]", ForkedProcess(pid, ours[3]))
    return Child(process, *streams)


class _Server:
    """The process that forks one off for each sampler, and the end of the line to it."""

    def __init__(self) -> None:
        self._line, its_end = socket.socketpair()
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(its_end.fileno())],
            cwd=ROOT,
            pass_fds=[its_end.fileno()],
            stdin=subprocess.DEVNULL,
            env=child_environment(thread_limits(1)),
        )
        its_end.close()

    def fork(self, request: Mapping[str, object], files: Sequence[int]) -> int:
        with self._lock:
            socket.send_fds(self._line, [json.dumps(request).encode()], files)
            return int(self._line.recv(100))

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()


_running: list[_Server] = []
_starting = threading.Lock()


def _server() -> _Server:
    with _starting:
        if not _running or not _running[-1].alive:
            _running.append(_Server())
            atexit.register(_running[-1].close)
        return _running[-1]


def _serve(line: socket.socket) -> dict[str, object] | None:
    """Fork for each request; return the request in the process that carries it out, and None at the end."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    statuses: dict[int, int] = {}
    while True:
        ready = select.select([line, told], [], [])[0]
        if told in ready:
            os.read(told, 1_000)
            _tell_ends(statuses)
        if line not in ready:
            continue
        data, files, _, _ = socket.recv_fds(line, _LONGEST_REQUEST, 4)
        if not data:
            return None
        *streams, status = files
        child = os.fork()
        if not child:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            line.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            for each in (told, tell, *files, *statuses.values()):
                os.close(each)
            request: dict[str, object] = json.loads(data)
            return request
        statuses[child] = status
        for stream in streams:
            os.close(stream)
        line.sendall(str(child).encode())


def _tell_ends(statuses: dict[int, int]) -> None:
    for child in list(statuses):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            with contextlib.suppress(BrokenPipeError):
                os.write(statuses[child], str(os.waitstatus_to_exitcode(status)).encode())
            os.close(statuses.pop(child))


def _main() -> None:
    import textgen.cli.serve
    import textgen.serving.stdio  # noqa: F401

    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    if request is None:
        return
    os.chdir(str(request["folder"]))
    os.environ.clear()
    os.environ.update(cast("dict[str, str]", request["environment"]))
    sys.argv[1:] = cast("list[str]", request["words"])
    runpy.run_module("textgen", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
