"""The command `textgen` in a process of its own, forked off one that has imported the library.

A command line of the tests takes milliseconds to answer, and half a second to import NumPy and the library.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.textgen.forking import ForkServer

PATIENCE_S = 120.0
_COMMANDS = ("corpus", "evaluate", "inspect", "sample", "train", "models", "authorship.verify", "serve")
# Variables that an interpreter reads when it starts.
_OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG")
_server = ForkServer([f"textgen.cli.{name}" for name in _COMMANDS])


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
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryFile() as told,
    ):
        given.write(stdin.encode())
        given.seek(0)
        files = [file.fileno() for file in (given, said, told)]
        process = _server.start(words, folder or Path.cwd(), variables, files)
        try:
            code = process.wait(PATIENCE_S)
        finally:
            process.kill()
        texts = []
        for file in (said, told):
            file.seek(0)
            texts.append(file.read().decode())
    return subprocess.CompletedProcess(words, code, *texts)


def refusal(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one line with which a command failed."""
    assert result.returncode == 1, result
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ")
    return result.stderr
