"""The texts that a guild uploaded. The text itself is a file; a row holds its figures."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.tables import Corpus


def add(
    session: Session,
    guild_id: int,
    *,
    sha256: str,
    filename: str,
    path: str,
    characters: int,
    lines: int,
    symbols: int,
    uploaded_by: int,
    rights_confirmed_at: datetime,
    size: int | None = None,
    quotable: bool = False,
) -> Corpus:
    """Insert an upload. The same text uploaded again gets a row of its own: its rights were stated anew.

    Args:
        session: an open SQLAlchemy session that may write.
        guild_id: Discord id of the guild that owns the corpus.
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
    corpus = Corpus(
        guild_id=guild_id,
        sha256=sha256,
        filename=filename,
        path=path,
        characters=characters,
        lines=lines,
        symbols=symbols,
        uploaded_by=uploaded_by,
        rights_confirmed_at=rights_confirmed_at,
        size=size,
        quotable=quotable,
    )
    session.add(corpus)
    session.flush()
    return corpus


def get(session: Session, guild_id: int, corpus_id: int) -> Corpus | None:
    """Return one of the guild's corpora; None where the id is absent or another guild's."""
    return session.scalar(sa.select(Corpus).where(Corpus.guild_id == guild_id, Corpus.id == corpus_id))
