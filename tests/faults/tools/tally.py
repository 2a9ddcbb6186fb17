"""Counts what comes of hostile files."""

from __future__ import annotations

import collections
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from textgen.errors import TextgenError


def tally(cases: Iterable[Callable[[], None]]) -> dict[str, object]:
    """Return how many cases were refused, how many wrote text, and other exceptions with their places.

    Args:
        cases: each reads something hostile and uses it; what prepares it may not fail.
    """
    refused = written = 0
    others: collections.Counter[str] = collections.Counter()
    for case in cases:
        try:
            case()
            written += 1
        except TextgenError:
            refused += 1
        except Exception as error:  # noqa: BLE001 -- it is counted
            place = traceback.extract_tb(error.__traceback__)[-1]
            others[
                f"{type(error).__name__}: {str(error)[:80]} ({Path(place.filename).name}:{place.lineno})"
            ] += 1
    return {"refused": refused, "written": written, "others": others}
