"""Reading files of others within limits: their size is checked first, and the number of values in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from textgen.argument_checks import shown
from textgen.errors import BundleError

# A JSON value takes up to 60 bytes of memory, however short its text is. The vocabulary and the merges of the
# largest tokenizers (Llama 3: 128,000 tokens, 280,000 merges in lists of two) stay below these.
_MOST_VALUES = 2_000_000
_MOST_CONTAINERS = 500_000


def size_of(path: Path) -> int:
    """Return the size of a regular file in bytes.

    Raises:
        BundleError: it is not there, or is no file.
    """
    try:
        if path.is_file():
            return path.stat().st_size
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from None
    raise BundleError(f"{path} is not there; the base is not complete")


def read_bounded(path: Path, largest: int) -> bytes:
    """Return the bytes of a regular file.

    Args:
        path: the file.
        largest: so many bytes it may have.

    Raises:
        BundleError: it is absent, larger, or cannot be read.
    """
    size = size_of(path)
    if size > largest:
        raise BundleError(f"{path} has {size:,} bytes; at most {largest:,} are expected")
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from None


def parse_json(data: bytes, path: Path) -> Any:
    """Return the value of a JSON text.

    Args:
        data: the text in UTF-8.
        path: where it was read, for the error's message.

    Raises:
        BundleError: it is not valid, or holds more values than any base's file.
    """
    if data.count(b",") > _MOST_VALUES or data.count(b"[") + data.count(b"{") > _MOST_CONTAINERS:
        raise BundleError(f"{path} holds more values than any base's file")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not valid JSON: {shown(str(error))}") from None
