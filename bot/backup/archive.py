"""The file of a backup: a zip of the databases, the texts and the models, with a manifest of every hash.

A zip has its directory at the end, so a file that was cut is noticed before anything is read from it.
"""

import hashlib
import json
import re
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from textgen.files.atomic import sync

FORMAT = 1
MANIFEST, DATABASE, QUEUE, FILES = "manifest.json", "database", "queue", "files"
LARGEST_MANIFEST = 1 << 30

_AT_ONCE = 1 << 20
_KEY = re.compile(r"guilds/\d{1,20}/(?:corpora|models|jobs)(?:/[0-9A-Za-z_-][\w.-]{0,150}){1,2}", re.ASCII)
_NAME = re.compile(r"[0-9A-Za-z_][\w.-]{0,150}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}")
# What a damaged zip raises, and what a manifest raises that holds values of other types.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError)
_MISSHAPEN = (AttributeError, TypeError)


class BackupError(Exception):
    """A backup cannot be made or restored; `str()` is one line that says why, and what to do."""


@dataclass
class Manifest:
    """What a backup contains.

    Attributes:
        version: of Pastiche.
        revision: of the database's tables.
        kind: of the database: `sqlite` or `postgresql`.
        made_at: when its rows were read, in ISO format.
        queue: whether the queue is in a file of its own.
        texts: keys of texts.
        folders: for each folder's key the names of its files.
        members: SHA-256 of each member of the zip, by name.
        missing: keys that the database names, and that were not stored.
    """

    version: str
    revision: str
    kind: str
    made_at: str = ""
    queue: bool = False
    texts: list[str] = field(default_factory=list)
    folders: dict[str, list[str]] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    format: int = FORMAT


class Writer:
    """Writes a backup. Only its manifest says what belongs to it."""

    def __init__(self, file: IO[bytes], manifest: Manifest) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self.manifest = manifest

    def add(self, name: str, source: IO[bytes]) -> None:
        """Write a member, piece by piece."""
        digest = hashlib.sha256()
        with self._zip.open(_member(name), "w", force_zip64=True) as target:
            while piece := source.read(_AT_ONCE):
                digest.update(piece)
                target.write(piece)
        self.manifest.members[name] = digest.hexdigest()

    def add_file(self, name: str, path: Path) -> None:
        """Write a file as a member."""
        with path.open("rb") as source:
            self.add(name, source)

    def close(self) -> None:
        """Write the manifest and the directory."""
        with self._zip.open(_member(MANIFEST), "w", force_zip64=True) as target:
            target.write(json.dumps(asdict(self.manifest), indent=1, sort_keys=True).encode())
        self._zip.close()


class Reader:
    """Reads a backup.

    Args:
        path: of the file.

    Raises:
        BackupError: it is no complete backup, or of another format.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._as_one_line():
            self._zip = zipfile.ZipFile(path)
            info = self._zip.getinfo(MANIFEST)
            if info.file_size > LARGEST_MANIFEST:
                raise ValueError
            self.manifest = _checked(json.loads(self._zip.read(info)), path)

    def verify(self) -> None:
        """Read everything once and compare all hashes.

        Raises:
            BackupError: a member is missing or damaged.
        """
        for name, expected in self.manifest.members.items():
            digest = hashlib.sha256()
            for piece in self.pieces(name):
                digest.update(piece)
            if digest.hexdigest() != expected:
                raise _damaged(self._path, f"{name} is not what was written")

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield a member's content.

        Raises:
            BackupError: it is missing or damaged.
        """
        with self._as_one_line(), self._zip.open(name) as source:
            while piece := source.read(_AT_ONCE):
                yield piece

    def extract(self, name: str, target: Path) -> None:
        """Write a member to a new file, for this user alone, and to the disk.

        Raises:
            BackupError: it is missing or damaged.
            OSError: the file cannot be written.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            for piece in self.pieces(name):
                file.write(piece)
            sync(file)

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    @contextmanager
    def _as_one_line(self) -> Iterator[None]:
        try:
            yield
        except (*_DAMAGED, *_MISSHAPEN):
            raise _damaged(self._path, "it is cut or changed, or no backup") from None


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, time.gmtime()[:6])
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = (stat.S_IFREG | 0o600) << 16
    return member


def _checked(read: Any, path: Path) -> Manifest:
    """Return the manifest if it has the right form; no name in it leads out of a guild's folder.

    Raises:
        BackupError: it is of another format.
        AttributeError, TypeError, ValueError: it has another form.
    """
    if not isinstance(read, dict) or not isinstance(read.get("format"), int):
        raise ValueError
    if read["format"] != FORMAT:
        raise BackupError(
            f"{path} has format {read['format']}, and this version of Pastiche reads {FORMAT}: "
            f"restore it with Pastiche {str(read.get('version'))[:40]}"
        )
    manifest = Manifest(**read)
    files = [(key, name) for key, names in manifest.folders.items() for name in names]
    well_formed = (
        all(map(_KEY.fullmatch, [*manifest.texts, *manifest.folders]))
        and all(_NAME.fullmatch(name) for _, name in files)
        and all(_DIGEST.fullmatch(digest) for digest in manifest.members.values())
        and {f"{FILES}/{key}" for key in manifest.texts} <= manifest.members.keys()
        and {f"{FILES}/{key}/{name}" for key, name in files} <= manifest.members.keys()
        and {DATABASE, *([QUEUE] if manifest.queue else [])} <= manifest.members.keys()
    )
    if not well_formed:
        raise ValueError
    return manifest


def _damaged(path: Path, reason: str) -> BackupError:
    return BackupError(f"{path} cannot be restored: {reason}; nothing was changed")
