"""Processes forked off one that has imported the library: each is spared half a second of imports."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
            raise subprocess.TimeoutExpired("textgen", timeout or 0.0)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            # It ended between the look and the signal.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class ForkServer:
    """Starts the command `textgen` from a process that has imported modules, and starts that one when needed.

    Args:
        modules: what it imports.
        environment: its variables, which count for what reads them at import; None: those of this process.
    """

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._modules, self._environment = modules, environment
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket
        atexit.register(self._close)

    def start(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], files: Sequence[int]
    ) -> ForkedProcess:
        """Start a command in a session of its own.

        Args:
            words: its arguments.
            folder: where it runs.
            environment: its variables.
            files: its standard input, output and error.
        """
        request = {"words": list(words), "folder": str(folder), "environment": dict(environment)}
        status, tells = os.pipe()
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._begin()
            socket.send_fds(self._line, [json.dumps(request).encode()], [*files, tells])
            pid = int(self._line.recv(100))
        os.close(tells)
        return ForkedProcess(pid, status)

    def _begin(self) -> None:
        self._line, its_end = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(its_end.fileno()), *self._modules],
            cwd=ROOT,
            pass_fds=[its_end.fileno()],
            stdin=subprocess.DEVNULL,
            env=self._environment,
        )
        its_end.close()

    def _close(self) -> None:
        if self._process is not None:
            self._line.close()
            self._process.kill()
            self._process.wait()


def _serve(line: socket.socket) -> dict[str, Any] | None:
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
            request: dict[str, Any] = json.loads(data)
            return request
        statuses[child] = status
        for stream in streams:
            os.close(stream)
        line.sendall(str(child).encode())


def _tell_ends(statuses: dict[int, int]) -> None:
    for child in list(statuses):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            # Whoever started it is gone.
            with contextlib.suppress(BrokenPipeError):
                os.write(statuses[child], str(os.waitstatus_to_exitcode(status)).encode())
            os.close(statuses.pop(child))


def _main() -> None:
    for name in sys.argv[2:]:
        importlib.import_module(name)
    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    if request is None:
        return
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[1:] = request["words"]
    sys.modules["textgen.cli"].STARTED = time.monotonic()  # type: ignore[attr-defined]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runpy.run_module("textgen", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
