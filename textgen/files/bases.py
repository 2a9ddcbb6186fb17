"""What a process without NumPy must know of pretrained bases: where they are, and their networks' name."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "TEXTGEN_BASES"
LLAMA = "llama"
"""The cell of a base, and of a model that was made from one, as a manifest names it."""


def folder() -> Path:
    """Return the folder of the bases, which may not exist yet.

    It is where the environment variable TEXTGEN_BASES says, or else in the user's data directory.
    """
    if given := os.environ.get(VARIABLE):
        return Path(given)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "textgen" / "bases"
