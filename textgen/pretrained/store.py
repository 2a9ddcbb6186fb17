"""The bases of this host: one folder each, under the user's data directory or where TEXTGEN_BASES says."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textgen.argument_checks import shown
from textgen.errors import BundleError
from textgen.files import atomic
from textgen.files.bases import folder as folder
from textgen.pretrained import base_bundle
from textgen.pretrained.base import About, Base
from textgen.pretrained.spec import LlamaSpec

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A base in a listing.

    Attributes:
        path: its folder; the folder's name is the base's name.
        about: what it says about itself; None if it is damaged.
        spec: its sizes; None if it is damaged.
        nbytes: its size on disk.
        sha256: identifies it (`Base.sha256`).
        error: why it cannot be read; "" if it can.
    """

    path: Path
    about: About | None = None
    spec: LlamaSpec | None = None
    nbytes: int = 0
    sha256: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        """The name that ``--base`` takes."""
        return self.path.name


def entries() -> list[Entry]:
    """Return the bases of this host, sorted by name. Only their descriptions are read."""
    if not folder().is_dir():
        return []
    return [
        _entry(path) for path in sorted(folder().iterdir()) if _NAME.fullmatch(path.name) and path.is_dir()
    ]


def is_name(text: str) -> bool:
    """Return whether a text could be the name of a base."""
    return _NAME.fullmatch(text) is not None


def find(name_or_hash: str) -> Base:
    """Return a base by its name or its SHA-256.

    Raises:
        BundleError: it is not on this host, or is damaged.
    """
    if _HASH.fullmatch(name_or_hash):
        for entry in entries():
            if entry.sha256 == name_or_hash:
                return base_bundle.read(entry.path)
    elif _NAME.fullmatch(name_or_hash) and (folder() / name_or_hash).is_dir():
        return base_bundle.read(folder() / name_or_hash)
    names = ", ".join(entry.name for entry in entries())
    raise BundleError(
        f"there is no base {shown(name_or_hash)} on this host; "
        + (f"there are {names}" if names else "there is none yet")
        + ": `textgen base add SOURCE` adds one"
    )


def checked_name(name: str) -> str:
    """Return a name that a base can have and that is free.

    Raises:
        BundleError: it has other characters, or there is a base of that name.
    """
    if not _NAME.fullmatch(name):
        raise BundleError(
            f"the name {shown(name)} cannot be a base's: it can have up to 64 characters of a-z 0-9 . _ - "
            "and begins with a letter or a digit"
        )
    if os.path.lexists(folder() / name):
        raise BundleError(
            f"there is a base {name} already",
            advice=(f"remove it first: textgen base remove {name}", "give another --name"),
        )
    return name


def add(name: str, write: Callable[[Path], None]) -> Entry:
    """Add a base: after a crash it is there as a whole or not at all.

    Args:
        name: a result of `checked_name`.
        write: writes the base's files into an empty folder.

    Raises:
        BundleError: what is written is no base, there is one of that name by now, or the disk refuses.
    """
    place = folder() / name
    prepared = atomic.beside(place, "new")
    try:
        folder().mkdir(parents=True, exist_ok=True)
        prepared.mkdir()
        write(prepared)
        base_bundle.read(prepared)
        checked_name(name)
        prepared.rename(place)
        atomic.sync_folder(folder())
    except OSError as error:
        raise BundleError(
            f"the base {place} cannot be written: {error.strerror}; nothing was changed"
        ) from None
    finally:
        shutil.rmtree(prepared, ignore_errors=True)
    return _entry(place)


def remove(name: str) -> Entry:
    """Remove a base. Processes that use it keep it until they end; models that need it will ask for it.

    Raises:
        BundleError: there is none of that name, or its folder holds files that are not a base's.
    """
    path = folder() / name
    if not _NAME.fullmatch(name) or not path.is_dir():
        find(name)
    strangers = sorted(file.name for file in path.iterdir() if file.name not in base_bundle.FILES)
    if path.is_symlink() or strangers:
        raise BundleError(
            f"{path} holds {shown(strangers[0] if strangers else 'a link')}, which is no base's; move it away"
        )
    removed = _entry(path)
    try:
        aside = atomic.beside(path, "new")
        path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
        atomic.sync_folder(folder())
    except OSError as error:
        raise BundleError(f"{path} cannot be removed: {error.strerror}") from None
    return removed


def _entry(path: Path) -> Entry:
    try:
        about, spec, listing, identity = base_bundle.read_about(path)
    except BundleError as error:
        return Entry(path, error=str(error))
    return Entry(path, about, spec, sum(file["bytes"] for file in listing.values()), identity)
