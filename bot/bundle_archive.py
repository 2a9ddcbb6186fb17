"""A bundle as one zip file, on its way out and in. What comes in may be from anybody.

A zip is believed in nothing: not its directory, not the sizes it names, not its paths. Only the files of
a bundle are unpacked, under names of our own, and counted while they are. What they hold is looked at
afterwards (`bot.bundle_tools`).
"""

import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from bot.errors import UserError
from bot.i18n import _
from bot.presentation import safe_text

WEIGHTS, COUNTS = "weights.safetensors", "counts.safetensors"
FILES = ("manifest.json", "spec.json", "tokenizer.json", WEIGHTS)
# Only a network that starts from counted n-grams has them.
OPTIONAL = (COUNTS,)
# Drawn anew from the manifest.
IGNORED = ("loss.png",)
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


def pack(bundle: Path, limit: int) -> bytes | None:
    """The bundle as a zip of at most `limit` bytes, or None where it is larger; blocks.

    Raises:
        OSError: the bundle is not there.
    """
    names = [*FILES, *(name for name in OPTIONAL if (bundle / name).exists())]
    if sum((bundle / name).stat().st_size for name in names) > LARGEST_RATIO * limit:
        return None
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(bundle / name, name)
    return packed.getvalue() if packed.tell() <= limit else None


def unpack(data: bytes, folder: Path) -> None:
    """Unpack a zip's bundle into a folder, which is made; blocks.

    Raises:
        UserError: it is none, or not only a bundle, or more than it says.
    """
    _check_directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive)
            folder.mkdir(parents=True)
            for name, member in members.items():
                limit = (
                    LARGEST_RATIO * len(data) + LARGEST_JSON if name in (WEIGHTS, COUNTS) else LARGEST_JSON
                )
                _copy(archive, member, folder / name, limit)
    # A RuntimeError is how zipfile refuses patched data and later versions than it reads.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError):
        raise UserError(_("This is not a zip file, or it is damaged.")) from None


def _check_directory(data: bytes) -> None:
    """Refuse a directory of many entries before it is read: each would take memory."""
    if len(data) < _END.size:
        raise UserError(_("This is not a zip file, or it is damaged."))
    signature, *_numbers, size, _start, comment = _END.unpack(data[-_END.size :])
    if signature != b"PK\x05\x06" or comment:
        raise UserError(_("This is not a zip file, or it is damaged."))
    if size > LARGEST_DIRECTORY or data[-_END.size - 20 :].startswith(_ZIP64_LOCATOR):
        raise UserError(_("This zip file holds more than a bundle."))


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The bundle's files by name, which may lie together in one folder.

    Raises:
        UserError: there is something else, or something is missing.
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
        raise UserError(_("This zip file is no bundle: it lacks {name}.").format(name=missing[0]))
    if len(folders) > 1:
        raise UserError(_("This zip file holds more than a bundle."))
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


def _unexpected(name: str) -> UserError:
    shown = safe_text.safe(safe_text.shorten(" ".join(name.split()), 60))
    return UserError(
        _("This zip file is no bundle: “{name}” has no place in one. Use a zip that Export made.").format(
            name=shown
        )
    )


def _too_large(name: str) -> UserError:
    return UserError(_("This zip file is no bundle: its {name} is too large.").format(name=name))
