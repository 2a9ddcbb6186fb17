"""Reads a bundle's zip file, which may come from anybody.

Nothing in a zip is trusted: not its directory, not its sizes, not its paths. Only the files of a bundle are
unpacked, under fixed names, and their bytes are counted meanwhile. Their content is checked afterwards
(`bot.bundles.inspect`).

`python -m bot.bundles.archive_reading ZIP FOLDER` writes the reason for a refusal to standard output as JSON.
It runs under limits (`bot.infra.children.untrusted_input`), so it must import neither Discord nor NumPy.
"""

import errno
import json
import stat
import struct
import sys
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from bot.i18n import marked
from bot.text import safe_text
from textgen.files.bundle_files import COUNTS, LINES, NEEDED, PICTURE, WEIGHTS

FILES = NEEDED
# COUNTS exists only for a network that mixes counted models, LINES only for a text of one item a line.
OPTIONAL = (COUNTS, LINES)
# Drawn anew from the manifest.
IGNORED = (PICTURE,)
LARGEST_JSON = 8 * 2**20
# Weights are compressed to about nine tenths, counts to a half or a third.
LARGEST_RATIO = 4
# A directory of six files takes less than a thousand bytes.
LARGEST_DIRECTORY = 16 * 2**10

_END = struct.Struct("<4s4H2LH")
_ZIP64_LOCATOR = b"PK\x06\x07"
_PLAIN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_AT_ONCE = 2**16

_DAMAGED = marked("This is not a zip file, or it is damaged.")
_MORE = marked("This zip file contains more than a model. Use a zip that Export made.")


class ArchiveError(Exception):
    """A zip file is refused.

    Args:
        line: format string of the line that a person reads, which can be translated.
        **values: values of the fields in `line`.
    """

    def __init__(self, line: str, **values: str) -> None:
        super().__init__(line.format(**values))
        self.line, self.values = line, values


def main() -> None:
    """Unpack the zip, and print the reason for a refusal, or `{}`."""
    archive, folder = map(Path, sys.argv[1:])
    told: dict[str, object] = {}
    try:
        unpack(archive, folder)
    except ArchiveError as error:
        told = {"line": error.line, "values": error.values}
    except OSError as error:
        told = {"errno": error.errno}
    json.dump(told, sys.stdout)


def unpack(path: Path, folder: Path) -> None:
    """Unpack the bundle of a zip into a new folder.

    Raises:
        ArchiveError: it is no zip file, contains other files than a bundle's, or is larger than it claims.
    """
    size = path.stat().st_size
    _check_directory(path, size)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive)
            folder.mkdir(parents=True)
            for name, member in members.items():
                limit = LARGEST_RATIO * size + LARGEST_JSON if name in (WEIGHTS, COUNTS) else LARGEST_JSON
                _copy(archive, member, folder / name, limit)
    # zipfile raises RuntimeError for manipulated data and for versions that it cannot read.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError):
        raise ArchiveError(_DAMAGED) from None
    except OSError as error:
        # The directory was manipulated: an offset is negative, or too large.
        if error.errno in (errno.EINVAL, errno.EOVERFLOW):
            raise ArchiveError(_DAMAGED) from None
        raise


def _check_directory(path: Path, size: int) -> None:
    """Refuse a directory with many entries before it is read, because each entry takes memory."""
    with path.open("rb") as file:
        file.seek(max(0, size - _END.size - 20))
        end = file.read()
    if size < _END.size:
        raise ArchiveError(_DAMAGED)
    signature, *_numbers, length, _start, comment = _END.unpack(end[-_END.size :])
    if signature != b"PK\x05\x06" or comment:
        raise ArchiveError(_DAMAGED)
    if length > LARGEST_DIRECTORY or end[: -_END.size].startswith(_ZIP64_LOCATOR):
        raise ArchiveError(_MORE)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the bundle's files by name; they may all be in one folder.

    Raises:
        ArchiveError: there are other files, or one is missing.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    folders: set[str] = set()
    for member in archive.infolist():
        if member.is_dir():
            continue
        path = PurePosixPath(member.filename)
        if path.name not in FILES + OPTIONAL + IGNORED or len(path.parts) > 2 or path.name in members:
            raise _unexpected(member.filename)
        kind = stat.S_IFMT(member.external_attr >> 16)
        if (
            kind not in {0, stat.S_IFREG}
            or member.flag_bits & _ENCRYPTED
            or member.compress_type not in _PLAIN
        ):
            raise _unexpected(member.filename)
        folders.add(str(path.parent))
        members[path.name] = member
    for name in IGNORED:
        members.pop(name, None)
    if missing := [name for name in FILES if name not in members]:
        raise ArchiveError(marked("This zip file is no bundle: it lacks {name}."), name=missing[0])
    if len(folders) > 1:
        raise ArchiveError(_MORE)
    return members


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, limit: int) -> None:
    if member.file_size > limit:
        raise _too_large(target.name)
    with archive.open(member) as source, target.open("xb") as file:
        written = 0
        while piece := source.read(_AT_ONCE):
            written += len(piece)
            if written > limit:
                raise _too_large(target.name)
            file.write(piece)


def _unexpected(name: str) -> ArchiveError:
    shown = safe_text.safe(safe_text.shorten(" ".join(name.split()), 60))
    return ArchiveError(
        marked("This zip file is no bundle: “{name}” has no place in one. Use a zip that Export made."),
        name=shown,
    )


def _too_large(name: str) -> ArchiveError:
    return ArchiveError(marked("This zip file is no bundle: its {name} is too large."), name=name)


if __name__ == "__main__":
    main()
