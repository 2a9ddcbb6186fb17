"""Taking in an uploaded text: whether it may and can be trained on; then storing it.

Plain blocking functions, meant for a worker thread.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UserError
from bot.files import write_atomically
from bot.i18n import _
from bot.layout import Layout
from textgen.corpus import CorpusStats, check_trainable, decode, measure

SHORTEST_VALIDATION = 100


@dataclass(frozen=True)
class AcceptedText:
    """A text that can be used, stored in the guild's folder."""

    filename: str
    sha256: str
    path: Path
    stats: CorpusStats


def accept(data: bytes, *, filename: str, guild_id: int, layout: Layout) -> AcceptedText:
    """Decode, check and store a corpus.

    Raises:
        CorpusError: it is not text, or too little of it.
        UserError: it looks like a chat log.
    """
    text = decode(data, name=filename)
    return _store(text, check_trainable(text), filename, guild_id, layout)


def accept_validation(data: bytes, *, filename: str, guild_id: int, layout: Layout) -> AcceptedText:
    """Decode, check and store a text that the loss is measured on.

    Raises:
        CorpusError: it is not text.
        UserError: it is too short, or looks like a chat log.
    """
    text = decode(data, name=filename)
    stats = measure(text)
    if stats.characters < SHORTEST_VALIDATION:
        raise UserError(
            _("The validation text has {characters} characters; at least {least} are needed.").format(
                characters=stats.characters, least=SHORTEST_VALIDATION
            )
        )
    return _store(text, stats, filename, guild_id, layout)


def _store(text: str, stats: CorpusStats, filename: str, guild_id: int, layout: Layout) -> AcceptedText:
    if stats.suspected_chat_log:
        raise UserError(
            _(
                "This looks like {kind}: chat messages are other people's words, "
                "and Discord forbids training on them. Upload a text you may use."
            ).format(kind=stats.suspected_chat_log)
        )
    stored = text.encode()
    sha256 = hashlib.sha256(stored).hexdigest()
    path = layout.corpus(guild_id, sha256)
    if not path.exists():
        write_atomically(path, stored)
    return AcceptedText(filename, sha256, path, stats)
