"""Packs a bundle as a zip file, and unpacks one; both block.

An uploaded zip may come from anybody, so a child process unpacks it (`bot.bundles.archive_reading`).
"""

import io
import json
import os
import zipfile
from pathlib import Path

import structlog

from bot.bundles.archive_reading import FILES, LARGEST_RATIO, OPTIONAL
from bot.errors import UserError
from bot.i18n import _
from bot.infra.children.untrusted_input import Limits, OutOfMemory, OutOfTime, run_limited
from bot.infra.storage.storage import Storage

log = structlog.stdlib.get_logger(__name__)

UNPACKING = Limits(wall_s=60, processor_s=20, memory_bytes=256 * 2**20)


def pack(bundle: Path, limit: int) -> bytes | None:
    """Return the bundle as a zip of at most `limit` bytes; None if it is larger.

    Raises:
        OSError: the bundle does not exist.
    """
    names = [*FILES, *(name for name in OPTIONAL if (bundle / name).exists())]
    if sum((bundle / name).stat().st_size for name in names) > LARGEST_RATIO * limit:
        return None
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(bundle / name, name)
    return packed.getvalue() if packed.tell() <= limit else None


def pack_stored(storage: Storage, key: str, limit: int) -> bytes | None:
    """Return a stored bundle as `pack` does.

    Raises:
        FileNotFoundError: it is not stored.
        StorageError: it cannot be read at this moment.
    """
    with storage.lease(key) as bundle:
        return pack(bundle, limit)


def unpack(source: Path, folder: Path) -> None:
    """Unpack the bundle of a zip into a new folder.

    Args:
        source: path of the zip file.
        folder: path for the bundle; it must not exist.

    Raises:
        UserError: it is no zip file, contains other files than a bundle's, or is larger than it claims.
        OSError: the bundle cannot be written.
    """
    try:
        ended = run_limited("bot.bundles.archive_reading", [str(source), str(folder)], UNPACKING)
        told = json.loads(ended.stdout)
    except (OutOfTime, OutOfMemory):
        raise UserError(_("The bundle could not be checked in time.")) from None
    except ValueError:
        log.warning("a zip could not be read", code=ended.returncode, error=ended.stderr[-1_000:])
        raise UserError(_("This is not a zip file, or it is damaged.")) from None
    if "errno" in told:
        raise OSError(told["errno"], os.strerror(told["errno"]))
    if told:
        line: str = told["line"]
        raise UserError(_(line).format(**told["values"]))
