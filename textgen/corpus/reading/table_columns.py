"""Which column of a table, or key of JSON lines, holds the text."""

from __future__ import annotations

from collections.abc import Sequence

from textgen.errors import CorpusError

_AUTHORS = {"author", "sender", "from", "user", "username", "user_name", "nick"}
_TIMES = {"timestamp", "date", "time", "created_at", "ts", "sent_at"}
_SHOWN = 12


def choose(names: Sequence[str], column: str | None, what: str, *, numbers: bool = False) -> int:
    """Return the index of the column to read.

    Args:
        names: the columns of the table, in order.
        column: the name that the user gave; None if the table must have a single column.
        what: the table's columns in words, for the error's message.
        numbers: whether the user may give a column's number (from 1) instead.

    Raises:
        CorpusError: the user must name a column, or the name fits none or several.
    """
    described = f"{what} are {listing([name.strip() for name in names])}"
    if column is None:
        if len(names) == 1:
            return 0
        raise CorpusError(f"{described}; say which one holds the text", advice=["give --column NAME"])
    found = matches(names, column)
    if len(found) == 1:
        return found[0]
    number = int(column) if column.isdecimal() and len(column) < 9 else 0
    if not found and numbers and 1 <= number <= len(names):
        return number - 1
    if found:
        raise CorpusError(
            f"{described}; {len(found)} of them are {column!r}",
            advice=["say which by its number from 1: --column NUMBER"] if numbers else (),
        )
    raise CorpusError(f"{described}; there is no {column!r} among them")


def matches(names: Sequence[str], wanted: str) -> list[int]:
    """Return the indices of a name: exact matches, or if there are none, those but for case and spaces."""
    exact = [at for at, name in enumerate(names) if name.strip() == wanted.strip()]
    return exact or [at for at, name in enumerate(names) if _folded(name) == _folded(wanted)]


def is_chat_log(names: Sequence[str]) -> bool:
    """Return whether the columns are those of a chat export: authors and times."""
    folded = {_folded(name) for name in names}
    return bool(folded & _AUTHORS and folded & _TIMES)


def listing(names: Sequence[str]) -> str:
    """Return the first names as part of a sentence."""
    shown = ", ".join(quoted(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def quoted(name: str) -> str:
    """Return a name in quotation marks, shortened to 40 characters."""
    return repr(name if len(name) <= 40 else f"{name[:40]}…")


def _folded(name: str) -> str:
    return " ".join(name.replace("\ufeff", "").split()).casefold()
