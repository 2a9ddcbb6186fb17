"""What is done with bundles in a process of its own: checking one that came from elsewhere, drawing a curve.

Both read files that may be large or hostile, and drawing needs Matplotlib: nothing for the bot's process.
"""

import subprocess
import sys
from pathlib import Path

import structlog

from bot.child_process import child_environment, thread_limits
from bot.errors import UserError
from bot.i18n import _
from bot.presentation import safe_text

log = structlog.stdlib.get_logger(__name__)

TIME_LIMIT_S = 60
CURVE = "loss.png"
REASON_CHARACTERS = 300


def check(bundle: Path) -> None:
    """Read a bundle as a sampler would, every hash and shape of it; blocks.

    Raises:
        UserError: it is damaged or none.
    """
    done = _inspect(bundle)
    if done is None:
        raise UserError(_("The bundle could not be checked in time."))
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        reason = lines[-1] if lines else ""
        if not reason.startswith("error: "):
            log.warning("a bundle could not be read", reason=reason)
            raise UserError(_("This zip file is no bundle that can be read."))
        told = reason.removeprefix("error: ").replace(f"{bundle}/", "").replace(str(bundle), "the bundle")
        raise UserError(
            _("This bundle is refused: {reason}").format(
                reason=safe_text.safe_within(told, REASON_CHARACTERS)
            )
        )


def curve(bundle: Path) -> bytes | None:
    """The bundle's loss curve as a picture, drawn once and kept in it; None where there is none; blocks."""
    kept = kept_curve(bundle)
    if kept is not None:
        return kept
    done = _inspect(bundle, "--plot")
    if done is None or done.returncode:
        log.info("no loss curve", bundle=bundle.name, reason="" if done is None else done.stderr[-300:])
        return None
    return kept_curve(bundle)


def kept_curve(bundle: Path) -> bytes | None:
    """The picture if it has been drawn before."""
    try:
        return (bundle / CURVE).read_bytes()
    except OSError:
        return None


def _inspect(bundle: Path, *flags: str) -> "subprocess.CompletedProcess[str] | None":
    try:
        return subprocess.run(
            [sys.executable, "-m", "textgen", "inspect", str(bundle), *flags],
            env=child_environment(thread_limits(1)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
