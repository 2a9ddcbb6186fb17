"""Packs a folder of plain files as one zip, and unpacks it. The same files always give the same zip."""

import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from textgen.files.atomic import sha256, sync

# Counts become half as large; a higher level gains little on weights.
LEVEL = 1
LARGEST_FOLDER = 2 << 30
MOST_FILES = 64

_TIME = (1980, 1, 1, 0, 0, 0)
_AT_ONCE = 1 << 20


class NotAFolder(ValueError):
    """A zip contains something else than the files of one folder."""


def pack(folder: Path, target: Path) -> str:
    """Write the files of a folder as a zip, and return its SHA-256.

    Raises:
        OSError: the folder does not exist, or the zip cannot be written.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name in names:
            member = zipfile.ZipInfo(name, _TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            with (folder / name).open("rb") as source, archive.open(member, "w", force_zip64=True) as file:
                shutil.copyfileobj(source, file, _AT_ONCE)
    return sha256(target)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip that `pack` wrote into a folder, which is created.

    The zip's hash was compared with the row before; what is checked here is that no file lands elsewhere.

    Raises:
        NotAFolder: it is no such zip.
        OSError: the files cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as packed:
            members = packed.infolist()
            if len(members) > MOST_FILES or sum(each.file_size for each in members) > LARGEST_FOLDER:
                raise NotAFolder("it has too many files, or too large ones")
            for member in members:
                if member.filename.startswith(".") or {"/", "\\", "\0"} & set(member.filename):
                    raise NotAFolder("a file of it lies in another folder")
                with packed.open(member) as source, (folder / member.filename).open("xb") as file:
                    shutil.copyfileobj(source, file, _AT_ONCE)
                    sync(file)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise NotAFolder("it is no zip file") from error
