"""What is stored about a person or a server as a zip file: rows as JSON, and the person's own texts.

Everything here blocks, so call it from a worker thread.
"""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import PurePath
from typing import Any

from bot.infra.paths import Layout
from models import Corpus, Database, personal_data

# Where things lie on the host is nobody's data.
LEFT_OUT = frozenset({"path", "bundle_path"})
# What the zip's own directory and the rest of the message take.
SPARE_BYTES = 64 * 2**10


@dataclass(frozen=True)
class Export:
    """A file for the person.

    Attributes:
        data: the zip file.
        texts: corpora in it.
        left_out: file names of corpora that did not fit.
    """

    data: bytes
    texts: int
    left_out: tuple[str, ...]


class TooLarge(Exception):
    """Even the rows alone do not fit into one file."""


def export(
    database: Database, layout: Layout, guild_id: int, user_id: int | None, *, limit: int, now: datetime
) -> Export:
    """What is stored about a person in a server, or with no person about the server.

    A server's file holds no texts: they are their uploaders' own.

    Args:
        database: where the rows are.
        layout: where the texts are.
        guild_id: whose.
        user_id: about whom; None for the whole server.
        limit: bytes that Discord accepts.
        now: the present moment.

    Raises:
        TooLarge: the rows alone are larger than that.
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
            packed = _packed(layout, corpus, name)
            if packed is None or buffer.tell() + packed + SPARE_BYTES > limit:
                left_out.append(corpus.filename)
            else:
                file.write(layout.corpus(guild_id, corpus.sha256), name)
    return Export(buffer.getvalue(), len(texts) - len(left_out), tuple(left_out))


def _packed(layout: Layout, corpus: Corpus, name: str) -> int | None:
    """Bytes that the text takes in a zip file; None where it is not on the disk."""
    alone = BytesIO()
    try:
        with zipfile.ZipFile(alone, "w", zipfile.ZIP_DEFLATED) as file:
            file.write(layout.corpus(corpus.guild_id, corpus.sha256), name)
    except FileNotFoundError:
        return None
    return alone.tell()


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in row.items() if name not in LEFT_OUT}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    # Discord's ids are larger than what most readers of JSON can tell apart.
    return str(value) if isinstance(value, int) and name.endswith(("_id", "_by")) else value
