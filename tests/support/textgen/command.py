"""The command `textgen` in a process of its own, forked off one that has imported the library.

A command line of the tests takes milliseconds to answer, and half a second to import NumPy and the library.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 120.0
_COMMANDS = ("corpus", "evaluate", "inspect", "sample", "train", "models", "authorship.verify", "serve")
_LONGEST_REQUEST = 1_000_000
# Variables that an interpreter reads when it starts.
_OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG")


def textgen(
    *arguments: str | Path,
    stdin: str = "",
    python: tuple[str, ...] = (),
    folder: Path | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run the command, as somebody at a shell would.

    Args:
        arguments: those of the command.
        stdin: what it reads from standard input.
        python: flags of the interpreter, which is then started anew.
        folder: where it runs; None: the current folder.
        environment: variables beside those of this process.
    """
    words, variables = list(map(str, arguments)), {**os.environ, **environment}
    if python or any(name.startswith(_OF_THE_INTERPRETER) for name in environment):
        command = [sys.executable, *python, "-m", "textgen", *words]
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            cwd=folder,
            env=variables,
        )
    request = {"words": words, "folder": str(folder or Path.cwd()), "environment": variables}
    return _server().run(request, stdin)


def refusal(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one line with which a command failed."""
    assert result.returncode == 1, result
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ")
    return result.stderr


class _Server:
    """A process that forks one off for each command, and the end of the line to it."""

    def __init__(self) -> None:
        self._line, its_end = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(its_end.fileno())],
            cwd=ROOT,
            pass_fds=[its_end.fileno()],
            stdin=subprocess.DEVNULL,
        )
        its_end.close()

    def run(self, request: dict[str, Any], stdin: str) -> subprocess.CompletedProcess[str]:
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as said,
            tempfile.TemporaryFile() as told,
        ):
            given.write(stdin.encode())
            given.seek(0)
            files = [file.fileno() for file in (given, said, told)]
            socket.send_fds(self._line, [json.dumps(request).encode()], files)
            if not select.select([self._line], [], [], PATIENCE_S)[0]:
                self.close()
                raise subprocess.TimeoutExpired(request["words"], PATIENCE_S)
            code = int(self._line.recv(100))
            texts = []
            for file in (said, told):
                file.seek(0)
                texts.append(file.read().decode())
            return subprocess.CompletedProcess(request["words"], code, *texts)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._line.close()


_running: list[_Server] = []


def _server() -> _Server:
    if not _running or not _running[-1].alive:
        _running.append(_Server())
        atexit.register(_running[-1].close)
    return _running[-1]


def _serve(line: socket.socket) -> dict[str, Any] | None:
    """Fork for each request; return the request in the process that carries it out, and None at the end."""
    while True:
        data, files, _, _ = socket.recv_fds(line, _LONGEST_REQUEST, 3)
        if not data:
            return None
        child = os.fork()
        if not child:
            line.close()
            for number, file in enumerate(files):
                os.dup2(file, number)
                os.close(file)
            request: dict[str, Any] = json.loads(data)
            return request
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        line.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _main() -> None:
    for name in _COMMANDS:
        importlib.import_module(f"textgen.cli.{name}")
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
