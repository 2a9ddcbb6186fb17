"""Files that are either the old ones or the new ones, whenever the power fails."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether an error, or what it came of, is that a disk has no room."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, make it durable, and rename it into place."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_json(path: Path, data: Any) -> None:
    """Write JSON as `write_bytes` does; it stays readable for people."""
    write_bytes(path, (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode())


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def previous_generation(folder: Path) -> Path:
    """Return where a folder's old content stands for the moment in which it is replaced."""
    return folder.with_name(f"{folder.name}.previous")


def replace_folder(prepared: Path, target: Path) -> None:
    """Put a finished folder in the place of another.

    A directory cannot be renamed over a full one, so the old one steps aside first. A crash
    between the two renames leaves the old one under `previous_generation`, where readers find it.
    """
    previous = previous_generation(target)
    if target.exists():
        if previous.exists():
            shutil.rmtree(previous)
        target.rename(previous)
    prepared.rename(target)
    sync_folder(target.parent)
    shutil.rmtree(previous, ignore_errors=True)
