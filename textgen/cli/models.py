"""`textgen models`: which models lie where."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from textgen.cli.common.streams import json_line
from textgen.errors import BundleError, TextgenError
from textgen.files.bundle_files import MANIFEST
from textgen.files.ownership import format_of

_MOST_FOLDERS = 20_000
_DEEPEST = 6


@click.command("models")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path), metavar="[FOLDER]...")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line for each model.")
def command(folders: tuple[Path, ...], *, as_json: bool) -> None:
    """List the models in FOLDERs and below, newest first; without one, in the current folder.

    Only their manifests are read; `textgen inspect` checks a model. `textgen base list` shows the pretrained
    bases.
    """
    for folder in folders:
        if not folder.is_dir():
            raise BundleError(f"{folder} is not a folder; models are folders, and lie in folders")
    found = [each for folder in folders or (Path(),) for each in _below(folder)]
    described = [_described(path) for path in dict.fromkeys(found)]
    described.sort(key=lambda model: model["created_at"], reverse=True)
    for model in described:
        click.echo(json_line(model) if as_json else _line(model))
    if not described:
        where = ", ".join(map(str, folders)) or "this folder"
        click.echo(f"no model in {where}; `textgen train FILE` makes one", err=True)


def _below(folder: Path) -> Iterator[Path]:
    """Yield the bundles in a folder, itself included. Hidden folders and links are skipped."""
    seen = 0
    depth = len(folder.parts)
    for place, folders, names in os.walk(folder):
        here = Path(place)
        seen += 1
        if seen > _MOST_FOLDERS:
            raise TextgenError(f"{folder} holds more than {_MOST_FOLDERS:,} folders; name one below it")
        if MANIFEST in names and format_of(here) is not None:
            folders.clear()
            yield here
            continue
        deep = len(here.parts) - depth >= _DEEPEST
        folders[:] = [] if deep else sorted(name for name in folders if not name.startswith("."))


def _described(path: Path) -> dict[str, Any]:
    """Return what a manifest says; a value of the wrong kind as None."""
    data = json.loads((path / MANIFEST).read_bytes())
    kinds: dict[str, tuple[type, ...]] = {
        "level": (str,), "cell": (str,), "parameters": (int,), "characters": (int,),
        "validation_loss": (int, float), "created_at": (str,),
    }  # fmt: skip
    told = {
        name: value if isinstance(value := data.get(name), kind) else None for name, kind in kinds.items()
    }
    size = sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    return {"path": str(path), **told, "created_at": told["created_at"] or "", "bytes": size}


def _line(model: dict[str, Any]) -> str:
    loss, characters = model["validation_loss"], model["characters"]
    parts = (
        model["path"],
        f"{model['level'] or '?'} level",
        "" if characters is None else f"{characters:,} characters",
        "" if loss is None else f"{loss:.3f} nats",
        f"{model['bytes'] / 1e6:,.1f} MB",
        model["created_at"][:10],
    )
    return "  ".join(part for part in parts if part)
