"""A base from Hugging Face's hub: its files are downloaded into the hub's own cache."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from textgen.argument_checks import shown
from textgen.errors import BundleError
from textgen.host import extras
from textgen.pretrained.sources import huggingface_folder
from textgen.pretrained.sources.found import Found, name_from

_PLACE = re.compile(r"([\w.-]{1,96}/[\w.-]{1,96})(?:@([\w./-]{1,120}))?")
_FILES = [
    *(huggingface_folder.CONFIG, huggingface_folder.TOKENIZER, huggingface_folder.README),
    *("*.safetensors", huggingface_folder.INDEX),
]
_LONGEST_REASON = 200


def find(place: str) -> Found:
    """Return the base at a place of the hub.

    Args:
        place: ``owner/name`` or ``owner/name@revision``.

    Raises:
        BundleError: it is written otherwise, cannot be downloaded, or holds no base that is read.
        MissingPackageError: the hub's client is not installed.
    """
    match = _PLACE.fullmatch(place)
    if match is None:
        raise BundleError(
            f"hf:{shown(place)} is no place of the hub; write hf:owner/name or hf:owner/name@revision"
        )
    folder = _downloaded(match[1], match[2])
    name = match[1].partition("/")[2]
    return replace(huggingface_folder.find(folder), name=name_from(name), title=name)


def _downloaded(repository: str, revision: str | None) -> Path:
    extras.require("huggingface_hub", "a download from the hub")
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=_FILES))
    except Exception as error:  # noqa: BLE001 -- the client raises errors of several packages
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise BundleError(
            f"hf:{repository} cannot be downloaded: {reason}; without a network, name a folder of its files"
        ) from None
