"""Writes a model as a web page, in a child process: it reads a whole bundle, which the bot must not do."""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from bot.errors import UserError
from bot.i18n import _
from bot.infra.children.untrusted_input import Limits, OutOfMemory, OutOfTime, run_limited
from bot.infra.storage.storage import Storage
from bot.text import reasons, safe_text
from bot.text.level_words import level_words
from models import TextModel
from textgen.files.bases import LLAMA
from textgen.levels import CHAR

log = structlog.stdlib.get_logger(__name__)

WRITING = Limits(wall_s=120, processor_s=60, memory_bytes=2 * 2**30)
CELL = "linear"
"""The only cell that pages hold (`textgen.webpage`)."""

REASON_CHARACTERS = 300
# A page holds each parameter as a 32-bit float, three bytes of which do not get smaller, in base64.
BYTES_A_PARAMETER = 4


@dataclass(frozen=True)
class About:
    """What a page says of its model.

    Attributes:
        title: its heading.
        licence: of the texts that the model learned from; empty: not stated.
        origin: where these texts come from; empty: not stated.
    """

    title: str
    licence: str = ""
    origin: str = ""


def require_page(model: TextModel, limit: int) -> None:
    """Check, by its row, that a model can become a web page.

    Args:
        model: row of the model.
        limit: the most bytes that a file may have.

    Raises:
        UserError: it cannot; the line says why.
    """
    if model.cell == LLAMA:
        raise UserError(_("This model was made from a pretrained base, and no web page can hold one."))
    if (model.level, model.cell) != (CHAR.name, CELL):
        raise UserError(
            _(
                "A web page holds models of characters with the cell “linear”. This is a model of {tokens} "
                "with the cell “{cell}”."
            ).format(tokens=level_words(model.level).tokens, cell=safe_text.safe(model.cell))
        )
    if model.parameters * BYTES_A_PARAMETER > limit:
        raise too_large(limit)


def web_page(storage: Storage, key: str, limit: int, about: About) -> bytes:
    """Return the page that `textgen export` writes of a stored bundle; blocks.

    Args:
        storage: has the bundle.
        key: of the bundle.
        limit: the most bytes that the page may have.
        about: what it says of the model.

    Raises:
        UserError: the bundle cannot become a page, or the page is too large.
        FileNotFoundError: it is not stored.
        StorageError: it cannot be read at this moment.
    """
    with tempfile.TemporaryDirectory(prefix="pastiche-page-") as folder, storage.lease(key) as bundle:
        page = Path(folder) / "page.html"
        # One argument each, so that no text is taken for an option.
        options = [f"--{name}={text}" for name, text in asdict(about).items() if text]
        try:
            done = run_limited("textgen", ["export", str(bundle), f"--html={page}", *options], WRITING)
        except OutOfMemory:
            raise UserError(_("This model is too large to become a web page.")) from None
        except OutOfTime:
            raise UserError(_("The web page was not ready in time. Please try again later.")) from None
        if done.returncode:
            raise UserError(
                _("This model cannot become a web page: {reason}").format(reason=_reason(done.stderr))
            )
        if page.stat().st_size > limit:
            raise too_large(limit)
        return page.read_bytes()


def too_large(limit: int) -> UserError:
    """Return the error for a page that is larger than what Discord accepts."""
    return UserError(
        _(
            "This web page would be larger than the {limit:.0f} MiB that Discord accepts here. The person "
            "who hosts this bot can write it at the shell."
        ).format(limit=limit / 2**20)
    )


def _reason(stderr: str) -> str:
    lines = stderr.strip().splitlines()
    told = lines[-1] if lines else ""
    log.warning("no web page", reason=told)
    told = told.removeprefix("error: ") if told.startswith("error: ") else ""
    return safe_text.safe_within(reasons.for_people(told), REASON_CHARACTERS)
