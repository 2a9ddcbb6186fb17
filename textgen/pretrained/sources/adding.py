"""From a source to a base of this host."""

from __future__ import annotations

import shutil
from pathlib import Path

from textgen.argument_checks import shown
from textgen.errors import BundleError
from textgen.pretrained import base_bundle, store
from textgen.pretrained.base import About
from textgen.pretrained.sources import gguf, hub, huggingface_folder, package
from textgen.pretrained.sources.found import Found
from textgen.pretrained.sources.gguf_file import is_gguf

_PACKAGE, _HUB = "package:", "hf:"
_SPARE_BYTES = 64 << 20


def find(source: str) -> Found:
    """Return the base of a source.

    Args:
        source: ``package:NAME``, ``hf:owner/name@revision``, a folder, or a GGUF file.

    Raises:
        BundleError: there is no base that is read.
    """
    if source.startswith(_PACKAGE):
        return package.find(source.removeprefix(_PACKAGE))
    if source.startswith(_HUB):
        return hub.find(source.removeprefix(_HUB))
    path = Path(source)
    if path.is_dir():
        return huggingface_folder.find(path)
    if path.is_file() and is_gguf(path):
        return gguf.find(path)
    what = "is neither a folder nor a GGUF file" if path.exists() else "is not there"
    raise BundleError(
        f"{shown(source)} {what}; a source is a folder in Hugging Face's layout, a .gguf file, "
        "package:NAME or hf:owner/name@revision"
    )


def add(source: str, name: str | None = None) -> store.Entry:
    """Convert a source's base, and add it to this host's bases.

    Args:
        source: see `find`.
        name: what to call it; None for the source's own name.

    Raises:
        BundleError: the source holds no base that is read, the name is taken, or the disk is too small.
    """
    if name is not None:
        store.checked_name(name)
    found = find(source)
    name = store.checked_name(name or found.name)
    _check_room(found)
    local = not source.startswith((_PACKAGE, _HUB))
    given = str(Path(source).resolve()) if local else source
    about = About(name, given[-300:], found.licence, found.languages, found.title)
    return store.add(
        name, lambda folder: base_bundle.write(folder, about, found.spec, found.tokenizer, found.weight)
    )


def _check_room(found: Found) -> None:
    wanted = store.folder()
    folder = next(place for place in (wanted, *wanted.parents) if place.exists())
    needed, free = found.spec.parameters + _SPARE_BYTES, shutil.disk_usage(folder).free
    if free < needed:
        raise BundleError(
            f"the base needs {needed:,} bytes, and {folder} has {free:,} left; nothing was changed"
        )
