"""The flags for reading a corpus, shared by all commands that read one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from textgen.corpus.reading.encoding import ERROR_POLICIES

_Function = TypeVar("_Function", bound=Callable[..., Any])


def encoding_options(function: _Function) -> _Function:
    """Add the flags for encodings to a command."""
    function = click.option(
        "--encoding-errors",
        type=click.Choice(list(ERROR_POLICIES)),
        default="strict",
        show_default=True,
        help="What to do with bytes that the encoding does not allow.",
    )(function)
    return click.option(
        "--encoding", help="Encoding of the files.  [default: UTF-8, or as their first bytes say]"
    )(function)


def reading_options(function: _Function) -> _Function:
    """Add the flags of `textgen.corpus.reading.sources.ReadingOptions` to a command."""
    return click.option(
        "--column",
        help="Column of .csv and .tsv files (its name, or its number from 1), or key of .jsonl files, "
        "that holds the text.",
    )(encoding_options(function))
