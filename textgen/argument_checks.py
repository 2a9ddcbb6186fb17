"""Checks of the arguments that users of the library give, with errors that show what was received.

Every range check of textgen is here. NumPy's scalars count as Python's numbers.
"""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Collection
from pathlib import Path

from textgen.errors import SettingsError, TextgenError

_SHOWN = 60


def plain(value: object) -> object:
    """Return a NumPy (or similar) scalar or zero-dimensional array as a Python value, others unchanged."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value


def shown(value: object) -> str:
    """Return a value of any type as a short text of one line."""
    # Python raises ValueError for the text of an integer with thousands of digits.
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length():,} bits"
    if isinstance(value, str | bytes) and len(value) > _SHOWN:
        return f"{value[:_SHOWN]!r}…"
    text = " ".join(repr(value).split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def as_path(value: object, name: str, error: type[TextgenError]) -> Path:
    """Return a caller's argument as a path.

    Args:
        value: the argument: a str, bytes or path-like object.
        name: name of the argument, for the error's message.
        error: type of the error that is raised.

    Raises:
        TextgenError: of the given type: the value has another type, or no path can have this text.
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
    """Return an argument that must be a str.

    Raises:
        SettingsError: it has another type.
    """
    if not isinstance(text, str):
        raise SettingsError(f"the {name} is {shown(text)}; it must be a text (str)")
    return text


def refuse_unknown(names: Collection[str], known: Collection[str]) -> None:
    """Refuse unknown keywords.

    Raises:
        SettingsError: a keyword is not known; the message names it and the most similar known one.
    """
    for name in names:
        if name not in known:
            near = "".join(difflib.get_close_matches(name, known, 1))
            meant = f" (did you mean {near}?)" if near else ""
            raise SettingsError(
                f"there is no setting {shown(name)}{meant}; there are {', '.join(sorted(known))}"
            )


def check_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Refuse a value that is not one of the choices.

    Raises:
        SettingsError: it is none of them.
    """
    # A list is not hashable, so a dict cannot be asked for it.
    if value not in list(choices):
        raise SettingsError(f"{name} is {shown(value)}; it can be {', '.join(choices)}")


def check_flag(name: str, value: object) -> None:
    """Refuse a value that is neither True nor False (NumPy's included).

    Raises:
        SettingsError: it is neither.
    """
    if not isinstance(plain(value), bool):
        raise SettingsError(f"{name} is {shown(value)}; it must be True or False")


def check_number(
    name: str,
    value: object,
    low: float,
    high: float,
    *,
    optional: bool = False,
    error: type[TextgenError] = SettingsError,
) -> None:
    """Refuse a value that is not a number within its bounds.

    Args:
        name: name of the argument, for the error's message.
        value: the argument, as a Python value (see `plain`).
        low: lowest accepted value. Where it is an int, the value must be a whole number.
        high: highest accepted value.
        optional: whether None is accepted too.
        error: type of the error that is raised.

    Raises:
        TextgenError: of the given type: the value is not such a number.
    """
    if value is None and optional:
        return
    whole = isinstance(low, int)
    # True is an int for Python. NaN fails the comparison.
    if (
        isinstance(value, bool)
        or not isinstance(value, int if whole else int | float)
        or not low <= value <= high
    ):
        raise error(
            f"{name} is {shown(value)}; it must be a {'whole number' if whole else 'number'} "
            f"from {_bound(low)} to {_bound(high)}{', or be left out' if optional else ''}"
        )


def _bound(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}" if value < 2**32 else f"{value}"
    return f"{value:g}"
