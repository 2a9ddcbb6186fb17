"""The flags that say how a corpus' files are read: the same for every command that reads one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from textgen.corpus.reading.encoding import ERROR_POLICIES

_Function = TypeVar("_Function", bound=Callable[..., Any])


def encoding_options(function: _Function) -> _Function:
    """Give a command the flags that say how bytes become characters."""
    function = click.option(
        "--encoding-errors",
        type=click.Choice(list(ERROR_POLICIES)),
        default="strict",
        show_default=True,
        help="What becomes of bytes that the encoding does not allow.",
    )(function)
    return click.option(
        "--encoding", help="Encoding of the files.  [default: UTF-8, or as their first bytes say]"
    )(function)


def reading_options(function: _Function) -> _Function:
    """Give a command the flags of `textgen.corpus.reading.sources.ReadingOptions`."""
    return click.option(
        "--column",
        help="Column of .csv and .tsv files (its name, or its number from 1), or key of .jsonl files, "
        "that holds the text.",
    )(encoding_options(function))
