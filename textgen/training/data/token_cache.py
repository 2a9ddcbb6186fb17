"""A cache of prepared corpora, so that the next training on the same text does not prepare it again.

=====================  =====================================================================
``KEY/corpus.json``    the tokenizer, measures of the text, SHA-256 of the others
``KEY/training``       tokens as plain numbers
``KEY/validation``     the same
=====================  =====================================================================

The key is a hash of the files' content and of every setting that changes the tokens. An entry is written
under a temporary name and renamed, so other processes see a complete entry or none. An entry that is damaged
later is recognised by its hash and deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from textgen import __version__
from textgen.files import atomic

FORMAT = 2
MAXIMUM_BYTES = 4 << 30
"""Largest size of the cache. The least recently used entry is deleted first."""

DESCRIPTION, TRAINING, VALIDATION = "corpus.json", "training", "validation"
_ABANDONED_S = 86_400.0
_KEY_LENGTH = 40
_KEY = re.compile(rf"[0-9a-f]{{{_KEY_LENGTH}}}")


def default_folder() -> Path:
    """Return the folder of the cache if the user names none."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification says that a relative path must be ignored.
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "textgen" / "corpora"


def default_cache() -> TokenCache | None:
    """Return the user's cache, or None if it cannot be created (a service's home may be read-only)."""
    try:
        folder = default_folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):  # RuntimeError: the user has no home folder
        return None
    return TokenCache(folder) if os.access(folder, os.W_OK) else None


def key_of(**parts: Any) -> str:
    """Return the key of a corpus: a hash of its content and of all that changes its tokens."""
    parts |= {
        "format": FORMAT,
        "version": __version__,
        "unicode": unicodedata.unidata_version,
        "byte_order": sys.byteorder,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_KEY_LENGTH]


class TokenCache:
    """Prepared corpora in a folder, which several processes may share.

    Args:
        folder: the cache's folder, created with the first entry.
        limit_bytes: largest size of all entries together.
    """

    def __init__(self, folder: Path, limit_bytes: int = MAXIMUM_BYTES) -> None:
        """Remember the folder; nothing is read or created yet."""
        self.folder, self._limit_bytes = folder, limit_bytes

    def find(self, key: str) -> dict[str, Any] | None:
        """Return an entry's description, or None if it is absent. A damaged entry is deleted."""
        entry = self.folder / key
        try:
            stored = json.loads((entry / DESCRIPTION).read_bytes())
            description = stored["description"]
            whole = stored["sha256"] == _digest(description) and all(
                atomic.sha256(entry / name) == description["sha256"][name] for name in (TRAINING, VALIDATION)
            )
        except (OSError, ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            # If there is no such entry, nothing is deleted.
            shutil.rmtree(entry, ignore_errors=True)
            return None
        # The time decides which entry is deleted first. A read-only cache can still be read.
        with suppress(OSError):
            os.utime(entry / DESCRIPTION)
        assert isinstance(description, dict)  # noqa: S101 -- its hash was compared
        return description

    @contextmanager
    def adding(self, key: str) -> Iterator[Path]:
        """Create a folder for an entry's files; it is deleted after the block unless `publish` was called.

        Raises:
            OSError: the cache cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        prepared = atomic.beside(self.folder / key, "new")
        prepared.mkdir()
        try:
            yield prepared
        finally:
            shutil.rmtree(prepared, ignore_errors=True)

    def publish(self, prepared: Path, key: str, description: dict[str, Any]) -> None:
        """Add an entry to the cache, and delete the least recently used ones if the cache is too large.

        Args:
            prepared: the folder of `adding`, with the two files of tokens.
            key: the entry's key.
            description: the entry's description; the files' hashes are added to it.

        Raises:
            OSError: the disk refuses.
        """
        description["sha256"] = {name: atomic.sha256(prepared / name) for name in (TRAINING, VALIDATION)}
        atomic.write_json(
            prepared / DESCRIPTION, {"description": description, "sha256": _digest(description)}
        )
        entry = self.folder / key
        try:
            prepared.rename(entry)
        except OSError:
            if not entry.is_dir():
                raise
            # Another process has added the entry first. The same key means the same tokens.
        self._trim(keep=entry)

    def _trim(self, keep: Path) -> None:
        entries: list[tuple[float, int, Path]] = []
        for path in self.folder.iterdir():
            # The folder may hold other files of the user.
            if not _KEY.fullmatch(path.name):
                self._remove_abandoned(path)
                continue
            with suppress(OSError):
                used = (path / DESCRIPTION).stat().st_mtime
                entries.append((used, sum(file.stat().st_size for file in path.iterdir()), path))
        held = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if held <= self._limit_bytes:
                return
            if path != keep:
                shutil.rmtree(path, ignore_errors=True)
                held -= size

    def _remove_abandoned(self, path: Path) -> None:
        """Delete an unfinished entry of a killed process."""
        if not atomic.is_beside(path.name, path.name[1 : _KEY_LENGTH + 1]) or not _KEY.match(path.name, 1):
            return
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(path, ignore_errors=True)


def _digest(description: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()
