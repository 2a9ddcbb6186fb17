"""Atomic writes: after a crash a file holds its old content or the new one, never a mixture."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import stat
from pathlib import Path
from typing import IO, Any

from textgen.errors import TextgenError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

_NEW = re.compile(r"\.\d+(\.[0-9a-f]{8})?\.(new|tmp)")
_DEVICES = {"dev", "proc"}


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether an error, or one of its causes, is that a disk is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def beside(path: Path, kind: str) -> Path:
    """Return an unused temporary name in the same folder, to be renamed to ``path`` later.

    Args:
        path: the file or folder that is being written.
        kind: "tmp" for a file, "new" for a folder.
    """
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.{kind}")


def is_beside(name: str, of: str) -> bool:
    """Return whether a name is a temporary one of `beside` for a file or folder called ``of``."""
    return name.startswith(f".{of}.") and _NEW.fullmatch(name, len(of) + 1) is not None


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file under a temporary name in the same folder and rename it into place.

    A symbolic link stays a link and its target is replaced. A replaced file keeps its permissions. Devices
    and pipes are written to directly.

    Args:
        path: the file.
        data: its whole content.
        durable: whether to wait until file and folder are on the disk. A file that is written again every
            few seconds does not need that.
    """
    if is_device(path):
        with path.open("wb") as stream:
            stream.write(data)
        return
    path = Path(os.path.realpath(path))
    mode = _mode_of(path)
    temporary = beside(path, "tmp")
    stream = temporary.open("xb")
    try:
        with stream:
            stream.write(data)
            if mode is not None:
                temporary.chmod(mode)
            if durable:
                sync(stream)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_json(path: Path, data: Any) -> None:
    """Write JSON as `write_bytes` does, indented for people.

    Characters that UTF-8 cannot encode (bytes of a file's name that are not UTF-8) are escaped.
    """
    text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        encoded = json.dumps(data, indent=1, allow_nan=False).encode()
    write_bytes(path, encoded + b"\n")


def sync(stream: IO[bytes]) -> None:
    """Wait until what was written to an open file is on the disk."""
    stream.flush()
    os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable; Windows does that by itself, and opens no folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_device(path: Path) -> bool:
    """Return whether a path is a device or a pipe: writing to it loses no data."""
    if len(path.parts) > 1 and path.parts[0] == "/" and path.parts[1] in _DEVICES:
        return not path.is_dir()
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def kind_of(path: Path) -> str | None:
    """Return in words what is at a path, for messages; None if nothing is there."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return f"something that cannot be looked at ({error.strerror})"
    if stat.S_ISLNK(mode):
        return f"a link to {path.readlink()}"
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a file" if stat.S_ISREG(mode) else "a device or a pipe"


def refuse_to_overwrite(path: Path, error: type[TextgenError], *, force: bool) -> None:
    """Refuse to overwrite a user's file.

    Args:
        path: the file that will be written.
        error: type of the error that is raised.
        force: whether the user wants an existing file to be overwritten.

    Raises:
        TextgenError: of the given type: something is there that is not a device.
    """
    kind = kind_of(path)
    if kind is None or is_device(path):
        return
    if path.is_dir():
        raise error(f"{path} is a folder; name a file")
    if not force:
        raise error(f"{path} is there already ({kind})", advice=("give --force to overwrite it",))
    if path.exists() and not os.access(path, os.W_OK):
        raise error(f"{path} cannot be written: {os.strerror(errno.EACCES)}")


def _mode_of(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None
