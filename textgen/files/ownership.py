"""Which files and folders were written by textgen, and may be replaced. All others belong to the user.

A folder is a bundle if it has a bundle's manifest and no file that a bundle does not have. A folder beside it
is a checkpoint if it has nothing but a checkpoint's files. This module must not know what the files hold.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

from textgen.errors import TrainingError
from textgen.files import atomic
from textgen.files.bundle_files import MANIFEST, OF_A_BUNDLE

# Files that desktops create in every folder they show, and a folder at the root of file systems.
LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "lost+found"})
WAYS_OUT = ("choose another --output", "rename it")

_BOARD = re.compile(r"events\.out\.tfevents\..+")
_OF_A_CHECKPOINT = re.compile(r"\.?(state|loss)\b[\w.-]*")
_LARGEST_MANIFEST = 16 << 20
_SHOWN = 3


def is_bundle(folder: Path) -> bool:
    """Return whether a folder has a bundle's manifest. Nothing else is checked."""
    return format_of(folder) is not None


def discard(folder: Path) -> None:
    """Delete a bundle, its manifest last.

    Files that are not a bundle's stay, and then the folder stays too.
    """
    if folder.is_symlink() or not folder.is_dir():
        return
    with suppress(OSError):
        for path in sorted(folder.iterdir(), key=lambda path: path.name == MANIFEST):
            if path.name in LITTER - {"lost+found"} or not _is_stranger(path):
                path.unlink()
        folder.rmdir()


def discard_checkpoint(folder: Path, keep: Path | None = None) -> None:
    """Delete a checkpoint's folder.

    Files that are not a checkpoint's stay, and then the folder stays too.

    Args:
        folder: the checkpoint's folder.
        keep: a file of the checkpoint that stays; None to delete all.
    """
    with suppress(OSError):
        for path in folder.iterdir():
            if path != keep and _OF_A_CHECKPOINT.fullmatch(path.name) and not path.is_dir():
                path.unlink()
        folder.rmdir()


def format_of(folder: Path) -> int | None:
    """Return the format number of a folder's manifest, or None if it has no bundle's manifest."""
    path = folder / MANIFEST
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST_MANIFEST:
            return None
        manifest = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    version = manifest.get("format") if isinstance(manifest, dict) else None
    whole = isinstance(version, int) and not isinstance(version, bool) and version > 0
    return version if whole and isinstance(manifest.get("files"), dict) else None


def strangers(folder: Path) -> list[str]:
    """Return the names in a folder that do not belong to a bundle."""
    return sorted(name for name in names_in(folder) if name not in LITTER and _is_stranger(folder / name))


def _is_stranger(path: Path) -> bool:
    name = path.name
    known = name in OF_A_BUNDLE or _BOARD.fullmatch(name)
    begun = any(atomic.is_beside(name, of) for of in OF_A_BUNDLE)
    return not (known or begun) or path.is_symlink() or not path.is_file()


def strangers_of_checkpoint(folder: Path) -> list[str]:
    """Return the names in a folder that do not belong to a checkpoint."""
    return sorted(
        name
        for name in names_in(folder)
        if name not in LITTER and not (_OF_A_CHECKPOINT.fullmatch(name) and (folder / name).is_file())
    )


def check_lock(path: Path) -> None:
    """Refuse a lock file that textgen has not written: its own are empty.

    Raises:
        TrainingError: something else has that name.
    """
    kind = atomic.kind_of(path)
    if kind is not None and (kind != "a file" or path.stat().st_size > 0):
        raise TrainingError(
            f"{path} is {kind} that is not ours, and the training needs this name", advice=WAYS_OUT
        )


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder.

    Raises:
        TrainingError: it cannot be read.
    """
    try:
        return [path.name for path in folder.iterdir()]
    except OSError as error:
        raise TrainingError(f"{folder} cannot be read: {error.strerror}", advice=WAYS_OUT[:1]) from None


def listing(folder: Path, names: list[str]) -> str:
    """Return the first names in a folder as part of a sentence; folders end in a slash."""
    shown = [f"{name}/" if (folder / name).is_dir() else name for name in names[:_SHOWN]]
    if len(names) > _SHOWN:
        return f"{', '.join(shown)} and {len(names) - _SHOWN} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
