"""Checks an uploaded text for training, and stores it.

A child process reads it (`bot.training.uploads.reader`), because a hostile text can take any time and memory.
Each upload has a copy of its own until its row is written, so two people who upload the same text at once do
not disturb each other. The functions block, so call them from a pool of threads of their own
(`bot.infra.children.untrusted_input.ChildPool`).
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog

from bot.errors import UserError
from bot.i18n import _
from bot.infra.children.untrusted_input import Limits, OutOfMemory, OutOfTime, run_limited
from bot.infra.paths import Layout
from bot.infra.storage import keys
from textgen.corpus import CorpusStats, check_stats
from textgen.errors import CorpusError

log = structlog.stdlib.get_logger(__name__)

SHORTEST_VALIDATION = 100
AT_ONCE = 2
"""The most texts that are read at a time."""

# A text of 10 MB that is hard to read takes 10 s, and a tenth of the memory.
WALL_S = 60.0
PROCESSOR_S = 30
A_MEGABYTE_S = 3
MEMORY_BYTES = 512 * 2**20


@dataclass(frozen=True)
class AcceptedText:
    """A text that can be used, in the guild's folder.

    Attributes:
        filename: the name that its uploader gave it.
        sha256: hash of the text, 64 hexadecimal digits.
        upload: path of the text until the storage has settled it.
        key: its key in the storage afterwards, the same for all uploads of the same text.
        stats: figures of the text.
        size: bytes of the text.
    """

    filename: str
    sha256: str
    upload: Path
    key: str
    stats: CorpusStats
    size: int

    def forget(self) -> None:
        """Delete the copy of this upload; a kept text stays."""
        self.upload.unlink(missing_ok=True)


def accept(
    source: Path,
    *,
    filename: str,
    guild_id: int,
    layout: Layout,
    check: Callable[[CorpusStats], object] = check_stats,
) -> AcceptedText:
    """Decode, check and store a text.

    Args:
        source: path of the uploaded file.
        filename: the name that its uploader gave it.
        guild_id: Discord id of the guild that owns it.
        layout: knows the paths of the guild's texts.
        check: refuses a text that is too short, by an exception.

    Raises:
        CorpusError: it is not text, or too short for a corpus.
        UserError: it looks like a chat log, or takes too long or too much memory to read; or as `check` says.
        OSError: it cannot be stored.
    """
    clean = layout.upload(guild_id, uuid4().hex)
    clean.parent.mkdir(parents=True, exist_ok=True)
    try:
        answer = _read(source, clean, filename)
        stats = _stats(answer["stats"])
        check(stats)
        size = clean.stat().st_size
        if stats.suspected_chat_log:
            raise UserError(
                _(
                    "This looks like {kind}: chat messages are other people's words, "
                    "and Discord forbids training on them. Upload a text you may use."
                ).format(kind=_(stats.suspected_chat_log))
            )
    except BaseException:
        clean.unlink(missing_ok=True)
        raise
    sha256 = answer["sha256"]
    return AcceptedText(filename, sha256, clean, keys.corpus_key(guild_id, sha256), stats, size)


def check_validation(stats: CorpusStats) -> None:
    """Refuse a validation text that is too short, instead of `check_stats`.

    Raises:
        UserError: it is.
    """
    if stats.characters < SHORTEST_VALIDATION:
        raise UserError(
            _("The validation text has {characters} characters; at least {least} are needed.").format(
                characters=stats.characters, least=SHORTEST_VALIDATION
            )
        )


def _read(source: Path, target: Path, filename: str) -> dict[str, Any]:
    """Read the text in a child process, and return its answer.

    Raises:
        CorpusError: it is not text.
        UserError: it takes too long or too much memory to read.
        OSError: it cannot be stored.
    """
    megabytes = source.stat().st_size >> 20
    limits = Limits(WALL_S + A_MEGABYTE_S * megabytes, PROCESSOR_S + A_MEGABYTE_S * megabytes, MEMORY_BYTES)
    try:
        ended = run_limited("bot.training.uploads.reader", [str(source), str(target), filename], limits)
    except OutOfTime:
        raise UserError(
            _(
                "This text takes too long to read: it was given up after {seconds} s. "
                "Upload a shorter one, or plain text without unusual characters."
            ).format(seconds=f"{limits.wall_s:.0f}")
        ) from None
    except OutOfMemory:
        raise UserError(_("This text takes too much memory to read. Upload a shorter one.")) from None
    try:
        answer = json.loads(ended.stdout)
    except ValueError:
        log.error("a text could not be read", code=ended.returncode, error=ended.stderr[-1_000:])
        raise UserError(_("This text could not be read. Save it as plain text in UTF-8.")) from None
    if "errno" in answer:
        raise OSError(answer["errno"], os.strerror(answer["errno"]))
    if "line" in answer:
        line: str = answer["line"]
        raise CorpusError(line, **answer["values"])
    return dict(answer)


def _stats(read: dict[str, Any]) -> CorpusStats:
    """Restore the figures from JSON."""
    return CorpusStats(
        **read
        | {
            "most_common": tuple((symbol, count) for symbol, count in read["most_common"]),
            "suspected_secrets": tuple(read["suspected_secrets"]),
        }
    )
