"""Finds compiled code: it is there if a C compiler was installed with the package."""

from __future__ import annotations

import ctypes
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path


def load(beside: str, name: str) -> ctypes.CDLL | None:
    """Return a compiled library, or None if it is absent or was built on another system.

    Args:
        beside: path of a module in the library's folder.
        name: the library's name without its suffix.
    """
    for suffix in EXTENSION_SUFFIXES:
        path = Path(beside).with_name(f"{name}{suffix}")
        if path.exists():
            try:
                return ctypes.CDLL(str(path))
            except OSError:
                return None
    return None
