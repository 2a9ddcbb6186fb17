"""The flags that say how a corpus' files are read: the same for every command that reads one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from textgen.corpus.encoding import ERROR_POLICIES

_Function = TypeVar("_Function", bound=Callable[..., Any])


def reading_options(function: _Function) -> _Function:
    """Give a command the flags of `textgen.corpus.sources.ReadingOptions`."""
    options = (
        click.option("--column", help="Column of .csv files, or key of .jsonl files, that holds the text."),
        click.option(
            "--encoding", help="Encoding of the files.  [default: UTF-8, or as their first bytes say]"
        ),
        click.option(
            "--encoding-errors",
            type=click.Choice(list(ERROR_POLICIES)),
            default="strict",
            show_default=True,
            help="What becomes of bytes that the encoding does not allow.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function
