"""Finds the model that somebody means by a path."""

from __future__ import annotations

from pathlib import Path

import click

from textgen.errors import BundleError
from textgen.files.ownership import is_bundle

FOLDER = "model"
"""Where a training writes its bundle, in the folder of its text."""


def bundle_at(path: Path) -> Path:
    """Return the bundle that a path means: the folder itself, or ``model`` in the folder of a text.

    Raises:
        BundleError: the path is a file.
    """
    if path.is_file():
        raise BundleError(
            f"{path} is a file, and a model is a folder; `textgen train {path}` makes one of a text"
        )
    return path / FOLDER if not is_bundle(path) and is_bundle(path / FOLDER) else path


def name_of(bundle: Path) -> str:
    """Return what a bundle is called: its folder, or the folder of its text if there is one above."""
    whole = bundle.resolve()
    return whole.parent.name if whole.name == FOLDER and whole.parent.name else whole.name


def one_of(places: dict[str, object]) -> None:
    """Refuse a call that names several models, or none.

    Args:
        places: the values of the arguments by their names; None for one that was not given.

    Raises:
        click.UsageError: not exactly one was given.
    """
    given = [name for name, value in places.items() if value is not None]
    names = list(places)
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} name two models; give one of them")
    if not given:
        raise click.UsageError(f"give a model: {', '.join(names[:-1])} or {names[-1]}")
