"""A bundle as one zip file, on its way out and in; both block.

What comes in may be from anybody, so a child unpacks it (`bot.bundles.archive_reading`).
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
from bot.infra.children.limited import Limits, OutOfMemory, OutOfTime, run_limited

log = structlog.stdlib.get_logger(__name__)

UNPACKING = Limits(wall_s=60, processor_s=20, memory_bytes=256 * 2**20)


def pack(bundle: Path, limit: int) -> bytes | None:
    """The bundle as a zip of at most `limit` bytes, or None where it is larger.

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


def unpack(source: Path | bytes, folder: Path) -> None:
    """Unpack a zip's bundle into a folder, which is made.

    Args:
        source: the zip file, or what it holds.
        folder: where the bundle's files will stand.

    Raises:
        UserError: it is none, or not only a bundle, or more than it says.
        OSError: it cannot be written.
    """
    if isinstance(source, bytes):
        folder.parent.mkdir(parents=True, exist_ok=True)
        path = folder.with_name(f"{folder.name}.zip")
        try:
            path.write_bytes(source)
            unpack(path, folder)
        finally:
            path.unlink(missing_ok=True)
        return
    try:
        ended = run_limited("bot.bundles.archive_reading", [str(source), str(folder)], UNPACKING)
        told = json.loads(ended.stdout)
    except (OutOfTime, OutOfMemory):
        raise UserError(_("The bundle could not be checked in time.")) from None
    except ValueError:
        log.warning("a zip could not be read", code=ended.code, error=ended.stderr[-1_000:])
        raise UserError(_("This is not a zip file, or it is damaged.")) from None
    if "errno" in told:
        raise OSError(told["errno"], os.strerror(told["errno"]))
    if told:
        line: str = told["line"]
        raise UserError(_(line).format(**told["values"]))
