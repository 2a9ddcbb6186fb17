"""Flags that several commands share: those for reading a corpus, and --quiet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from textgen.cli.common import streams
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


def quiet_option(function: _Function) -> _Function:
    """Add --quiet to a command."""

    def muted(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            streams.mute()

    return click.option(
        "--quiet", "-q", is_flag=True, expose_value=False, callback=muted,
        help="Say nothing on standard error, except for an error.",
    )(function)  # fmt: skip


def reading_options(function: _Function) -> _Function:
    """Add the flags of `textgen.corpus.reading.sources.ReadingOptions` to a command."""
    return click.option(
        "--column",
        help="Column of .csv and .tsv files (its name, or its number from 1), or key of .jsonl files, "
        "that holds the text.",
    )(encoding_options(function))
