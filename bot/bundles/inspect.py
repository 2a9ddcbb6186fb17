"""Checks an imported bundle, and draws a loss curve, each in a child process.

Both read files that may be large or hostile, and drawing needs Matplotlib, which the bot must not load.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from bot.errors import UserError
from bot.i18n import _
from bot.infra.children.untrusted_input import Limits, OutOfMemory, OutOfTime, run_limited
from bot.infra.storage.storage import Storage
from bot.text import reasons, safe_text
from textgen.files.bundle_files import MANIFEST, PICTURE

log = structlog.stdlib.get_logger(__name__)

CHECKING = Limits(wall_s=60, processor_s=20, memory_bytes=400 * 2**20)
DRAWING = Limits(wall_s=60, processor_s=40, memory_bytes=2**31)
REASON_CHARACTERS = 300
LONGEST_MANIFEST = 4 * 2**20
"""Bytes."""


def check(bundle: Path) -> None:
    """Check every hash and shape of a bundle, as a sampler does; blocks.

    Raises:
        UserError: it is damaged, or no bundle.
    """
    try:
        done = run_limited("textgen", ["inspect", str(bundle)], CHECKING)
    except OutOfMemory:
        raise UserError(_("This bundle is refused: it takes too much memory to read.")) from None
    except OutOfTime:
        raise UserError(_("The bundle could not be checked in time.")) from None
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        reason = lines[-1] if lines else ""
        if not reason.startswith("error: "):
            log.warning("a bundle could not be read", reason=reason)
            raise UserError(_("This zip file does not contain a model that I can read."))
        told = reason.removeprefix("error: ").replace(f"{bundle}/", "").replace(str(bundle), "the bundle")
        raise UserError(
            _("This bundle is refused: {reason}").format(
                reason=safe_text.safe_within(reasons.for_people(told), REASON_CHARACTERS)
            )
        )


def curve(bundle: Path) -> bytes | None:
    """Return the bundle's loss curve as a PNG, drawn once and then kept; None if there is none; blocks."""
    kept = kept_curve(bundle)
    if kept is not None:
        return kept
    try:
        done = run_limited("textgen", ["inspect", str(bundle), "--plot"], DRAWING)
    except (OutOfMemory, OutOfTime) as error:
        log.info("no loss curve", bundle=bundle.name, reason=type(error).__name__)
        return None
    if done.returncode:
        log.info("no loss curve", bundle=bundle.name, reason=done.stderr[-300:])
        return None
    return kept_curve(bundle)


def with_bundle(storage: Storage, key: str, look: Callable[[Path], bytes | None]) -> bytes | None:
    """Return what `look` returns for a stored bundle; None if it cannot be read now; blocks."""
    try:
        with storage.lease(key) as bundle:
            return look(bundle)
    except OSError as error:
        log.warning("a bundle cannot be looked at", key=key, reason=str(error))
        return None


def kept_curve(bundle: Path) -> bytes | None:
    """Return the loss curve as a PNG if it was drawn before."""
    try:
        return (bundle / PICTURE).read_bytes()
    except OSError:
        return None


def history(bundle: Path) -> list[Any]:
    """Return the losses over time from the bundle's manifest, unchecked; none if it cannot be read."""
    try:
        with (bundle / MANIFEST).open("rb") as stream:
            manifest = json.loads(stream.read(LONGEST_MANIFEST))
        found = manifest.get("history")
    except (OSError, ValueError, AttributeError, RecursionError):
        return []
    return found if isinstance(found, list) else []
