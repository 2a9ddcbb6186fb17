"""Exports what is stored about a person or a server as a zip file: rows as JSON, and the person's texts.

Everything here blocks, so call it from a worker thread.
"""

import json
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any

from bot.infra.storage import keys
from bot.infra.storage.storage import Storage
from models import Corpus, Database, personal_data

# Paths on the host are no personal data.
LEFT_OUT = frozenset({"path", "bundle_path"})
# Room for the zip's own directory and the rest of the message.
SPARE_BYTES = 64 * 2**10


@dataclass(frozen=True)
class Export:
    """A file for the person.

    Attributes:
        data: content of the zip file.
        texts: number of corpora in it.
        left_out: file names of corpora that did not fit.
    """

    data: bytes
    texts: int
    left_out: tuple[str, ...]


class TooLarge(Exception):
    """Even the rows alone do not fit into one file."""


def export(
    database: Database, storage: Storage, guild_id: int, user_id: int | None, *, limit: int, now: datetime
) -> Export:
    """Export what is stored about a person in a server, or about the whole server.

    A server's file contains no texts, because they belong to their uploaders.

    Args:
        database: holds the rows.
        storage: has the texts.
        guild_id: Discord id of the guild that owns the rows.
        user_id: Discord id of the person; None for the whole server.
        limit: size of the largest file that Discord accepts, in bytes.
        now: the present moment (aware).

    Raises:
        TooLarge: the rows alone are larger than `limit`.
        StorageError: a text cannot be read at this moment.
    """
    with database.read() as session:
        tables = personal_data.rows(session, guild_id, user_id)
        texts: Sequence[Corpus] = () if user_id is None else personal_data.texts(session, guild_id, user_id)
    content = {
        "exported_at": now.isoformat(),
        "server": str(guild_id),
        "person": None if user_id is None else str(user_id),
        "tables": {name: [_row(row) for row in rows] for name, rows in tables.items()},
    }
    buffer = BytesIO()
    left_out = []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("stored.json", json.dumps(content, ensure_ascii=False, indent=1))
        if buffer.tell() + SPARE_BYTES > limit:
            raise TooLarge
        for corpus in texts:
            name = f"texts/{corpus.id}-{PurePath(corpus.filename).name}"
            fits = False
            # It may have been deleted.
            with suppress(FileNotFoundError), storage.lease(keys.corpus_key(guild_id, corpus.sha256)) as path:
                fits = buffer.tell() + _packed(path, name) + SPARE_BYTES <= limit
                if fits:
                    file.write(path, name)
            if not fits:
                left_out.append(corpus.filename)
    return Export(buffer.getvalue(), len(texts) - len(left_out), tuple(left_out))


def _packed(path: Path, name: str) -> int:
    """Return the size of a text in a zip file, in bytes."""
    alone = BytesIO()
    with zipfile.ZipFile(alone, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(path, name)
    return alone.tell()


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in row.items() if name not in LEFT_OUT}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    # Most JSON readers lose digits of numbers as large as Discord's ids.
    return str(value) if isinstance(value, int) and name.endswith(("_id", "_by")) else value
