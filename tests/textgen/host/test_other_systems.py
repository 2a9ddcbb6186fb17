"""Systems without POSIX: the library and every command load, and counts are trained and sampled.

Only a real macOS or Windows could show the rest. This test takes away what those systems lack.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# What Windows has not. What Python's own library needs of it is loaded before.
WITHOUT = """
import asyncio, importlib, multiprocessing, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile
import filelock
import textgen.cli

GONE = ("fcntl", "grp", "pwd", "readline", "resource", "syslog", "termios", "tty")
for name in GONE:
    sys.modules[name] = None
for name in dir(signal):
    if name.startswith("SIG") and name not in (
        "SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN"
    ):
        delattr(signal, name)
for name in (
    "O_NOFOLLOW", "fchmod", "fork", "getpgid", "getuid", "geteuid", "killpg", "mkfifo",
    "nice", "set_blocking", "setsid", "statvfs", "sysconf", "umask", "wait4",
):
    if hasattr(os, name):
        delattr(os, name)
"""

LOAD = """
for name, folder in ((name, textgen.cli._FOLDERS.get(name, "")) for name in textgen.cli._COMMANDS):
    importlib.import_module(f"textgen.cli.{folder}{name}")
import textgen
for name in textgen.__all__:
    getattr(textgen, name)
import textgen.serving.http.process, textgen.serving.stdio
"""

COMMAND = """
sys.argv = ["textgen", *sys.argv[1:]]
textgen.cli.main()
"""


def without_posix(script: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT + script, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=250, check=False)


def test_the_library_and_every_command_load(tmp_path: Path) -> None:
    done = without_posix(LOAD, folder=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_counts_are_trained_and_sampled(tmp_path: Path, corpus_text: str) -> None:
    (tmp_path / "notes.txt").write_text(corpus_text[:20_000], encoding="utf-8")
    trained = without_posix(COMMAND, "train", "notes.txt", "--time-limit", "1", folder=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "notes.txt"]
    sampled = without_posix(COMMAND, "sample", "model", "--length", "100", folder=tmp_path)
    assert sampled.returncode == 0, sampled.stderr
    assert len(sampled.stdout) > 50


def test_what_cannot_work_says_so_in_one_line(tmp_path: Path) -> None:
    done = without_posix(COMMAND, "benchmark", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: textgen benchmark needs a system that tells the memory of a child process\n"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_is_answered_where_there_is_no_hangup(tmp_path: Path, name: str) -> None:
    script = (
        "import threading\n"
        "from textgen.cli.watching import interrupts\n"
        "from textgen.training.reporting.events import Control\n"
        "interrupts.listen(Control())\n"
        f"threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.{name})).start()\n"
        "try:\n    threading.Event().wait(20)\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )
    done = without_posix(script, folder=tmp_path)
    assert done.stdout == "interrupted\n" or done.returncode == 130, done.stderr
