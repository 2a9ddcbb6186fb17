"""What callers of the library hand over: NumPy's numbers are numbers, and the rest is shown in few words."""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Collection
from pathlib import Path

from textgen.errors import SettingsError, TextgenError

_SHOWN = 60


def plain(value: object) -> object:
    """Return a scalar of NumPy or its kin, or an array without an axis, as Python's; others as they are."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value


def shown(value: object) -> str:
    """Return a short text for a value of any kind, in one line."""
    # Python refuses to write out integers of thousands of digits.
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length():,} bits"
    if isinstance(value, str | bytes) and len(value) > _SHOWN:
        return f"{value[:_SHOWN]!r}…"
    text = " ".join(repr(value).split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def as_path(value: object, name: str, error: type[TextgenError]) -> Path:
    """Return the path that a caller names.

    Args:
        value: a str, bytes or path-like object.
        name: what it is the path of, for the error.
        error: what is raised.

    Raises:
        TextgenError: of the given type: it is something else, or a text that can be no path.
    """
    if not isinstance(value, str | bytes | os.PathLike):
        raise error(f"the {name} is {shown(value)}; it must be a path, as a text or a pathlib.Path")
    if not os.fspath(value):
        raise error(f"the {name} is {shown(value)}; it must be a path (the current folder is '.')")
    path, there = Path(os.fsdecode(value)), True
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        there = "\n" not in str(path)
    except ValueError:
        raise error(f"the {name} is {shown(str(path))}, which no path can be") from None
    except OSError as refused:
        there = refused.errno != errno.ENAMETOOLONG
    if not there:
        raise error(
            f"the {name} is {shown(str(path))}, {len(str(path)):,} characters long; it must be a path: "
            "write a text to a file first"
        )
    return path


def checked_text(text: object, name: str) -> str:
    """Return what was given if it is a text.

    Raises:
        SettingsError: it is none.
    """
    if not isinstance(text, str):
        raise SettingsError(f"the {name} is {shown(text)}; it must be a text (str)")
    return text


def refuse_unknown(names: Collection[str], known: Collection[str]) -> None:
    """See to it that every keyword is one that there is.

    Raises:
        SettingsError: one is not; the line names it and the nearest one.
    """
    for name in names:
        if name not in known:
            near = "".join(difflib.get_close_matches(name, known, 1))
            meant = f" (did you mean {near}?)" if near else ""
            raise SettingsError(
                f"there is no setting {shown(name)}{meant}; there are {', '.join(sorted(known))}"
            )
