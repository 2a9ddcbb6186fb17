"""The texts a guild uploaded. The text itself is a file; here is what is known about it."""

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
) -> Corpus:
    """Record an upload. The same text uploaded again is a row of its own: its rights were stated anew.

    Args:
        session: a writing one.
        guild_id: whose corpus it is.
        sha256: of the stored file, 64 hexadecimal digits.
        filename: as the uploader called it.
        path: where the text is stored, relative to the data directory.
        characters: length of the decoded text.
        lines: how many it has.
        symbols: how many distinct characters it has.
        uploaded_by: Discord id of the user.
        rights_confirmed_at: when the user said that they may use the text.
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
    )
    session.add(corpus)
    session.flush()
    return corpus


def get(session: Session, guild_id: int, corpus_id: int) -> Corpus | None:
    """Return one of the guild's corpora; None where the id is absent or another guild's."""
    return session.scalar(sa.select(Corpus).where(Corpus.guild_id == guild_id, Corpus.id == corpus_id))
