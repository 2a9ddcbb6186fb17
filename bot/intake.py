"""Taking in an uploaded text: whether it may and can be trained on; then storing it.

Each upload has a copy of its own until its row is written. So of two people who upload the same text at once
neither can take it from the other. Plain blocking functions, meant for a worker thread.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from bot.errors import UserError
from bot.files import write_atomically
from bot.i18n import _
from bot.layout import Layout
from textgen.corpus import CorpusStats, check_trainable, decode, measure

SHORTEST_VALIDATION = 100


@dataclass(frozen=True)
class AcceptedText:
    """A text that can be used, in the guild's folder.

    Attributes:
        filename: as its uploader called it.
        sha256: of the text, 64 hexadecimal digits.
        upload: where it is stored until `keep`.
        path: where it is stored after `keep`, once for all uploads of the same text.
        stats: what it consists of.
    """

    filename: str
    sha256: str
    upload: Path
    path: Path
    stats: CorpusStats

    def keep(self) -> None:
        """Put the text in its place, in the transaction that writes its row.

        Raises:
            FileNotFoundError: the guild's data was deleted in the meantime.
        """
        self.upload.replace(self.path)

    def forget(self) -> None:
        """Delete this upload's copy; what was kept stays."""
        self.upload.unlink(missing_ok=True)


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
    upload = layout.upload(guild_id, uuid4().hex)
    write_atomically(upload, stored)
    return AcceptedText(filename, sha256, upload, layout.corpus(guild_id, sha256), stats)
