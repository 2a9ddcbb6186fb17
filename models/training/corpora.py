"""The texts that a guild uploaded. The text itself is a file; a row holds its figures."""

from datetime import datetime
from typing import NotRequired, TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.changes import insert_row
from models.tables import Corpus


class CorpusValues(TypedDict):
    """What is known of an upload.

    Attributes:
        sha256: hash of the stored file, 64 hexadecimal digits.
        filename: the name that the uploader gave it.
        path: path of the stored text, relative to the data directory.
        characters: length of the decoded text, in characters.
        lines: number of its lines.
        symbols: number of its distinct characters.
        uploaded_by: Discord id of the uploader.
        rights_confirmed_at: when the uploader said that they may use the text (aware).
        size: bytes of the stored file; None: it is measured later.
        quotable: the uploader allowed that lines of it are shown.
    """

    sha256: str
    filename: str
    path: str
    characters: int
    lines: int
    symbols: int
    uploaded_by: int
    rights_confirmed_at: datetime
    size: NotRequired[int | None]
    quotable: NotRequired[bool]


def add(session: Session, guild_id: int, **values: Unpack[CorpusValues]) -> Corpus:
    """Insert an upload. The same text uploaded again gets a row of its own: its rights were stated anew.

    Args:
        session: an open SQLAlchemy session that may write.
        guild_id: Discord id of the guild that owns the corpus.
        **values: what is known of it.
    """
    return insert_row(session, Corpus(guild_id=guild_id, **values))


def get(session: Session, guild_id: int, corpus_id: int) -> Corpus | None:
    """Return one of the guild's corpora; None where the id is absent or another guild's."""
    return session.scalar(sa.select(Corpus).where(Corpus.guild_id == guild_id, Corpus.id == corpus_id))
