"""What a fault needs of the machine: each function raises `Skipped` with the reason where it lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.faults.harness import Skipped


def root() -> None:
    """Mounting, control groups and network namespaces need root."""
    if os.geteuid() != 0:
        raise Skipped("it needs root")


def strace() -> None:
    """strace injects errors and delays below Python."""
    if shutil.which("strace") is None:
        raise Skipped("strace is not installed")
    if subprocess.run(
        ["strace", "-qq", "-o", os.devnull, "true"], capture_output=True, check=False
    ).returncode:
        raise Skipped("strace may not trace here")


def tmpfs() -> None:
    """A small file system of its own is what becomes full."""
    root()
    if shutil.which("mount") is None:
        raise Skipped("mount is not installed")


def no_network() -> None:
    """A network namespace of its own has no way out."""
    if shutil.which("unshare") is None:
        raise Skipped("unshare is not installed")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
        raise Skipped("unshare -n is not allowed here")


def compiler() -> None:
    """The compiled step is built anew with a sanitizer."""
    if shutil.which("gcc") is None:
        raise Skipped("gcc is not installed")
    for library in ("libasan.so", "libubsan.so"):
        found = subprocess.run(
            ["gcc", f"-print-file-name={library}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        if not Path(found).is_absolute():
            raise Skipped(f"gcc comes without {library}")
