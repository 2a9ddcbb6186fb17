"""The fingerprint of a bundle: one hash of everything that decides which text a random seed gives.

Two bundles with the same fingerprint write the same texts. The name of a model, its picture and the figures
of its training are no part of it. This module must not import NumPy: the bot finds models by fingerprint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from textgen.errors import BundleError
from textgen.files.bundle_files import COUNTS, LINES, MANIFEST, SPEC, TOKENIZER, WEIGHTS
from textgen.files.output_folder import Output

LARGEST_MANIFEST = 4 << 20
"""Bytes; a larger manifest is not read."""

_DECIDING = (SPEC, TOKENIZER, WEIGHTS, COUNTS, LINES)


def fingerprint_of(listing: Mapping[str, Any], seeds: Sequence[str], items: bool, sampling: int) -> str:
    """Return a bundle's fingerprint: 64 hexadecimal digits.

    Args:
        listing: the manifest's ``files``: for each file its ``sha256``.
        seeds: the manifest's line starts, with which samples without a seed begin.
        items: the manifest's ``items``: samples without a seed begin a fresh line instead.
        sampling: the manifest's version of the rules by which texts are drawn.
    """
    entries = [(name, listing[name]) for name in _DECIDING if name in listing]
    hashes = [(name, entry.get("sha256") if isinstance(entry, dict) else None) for name, entry in entries]
    # Bundles of early versions keep their fingerprints, which codes of texts name.
    more = [sampling] if sampling > 1 else []
    return hashlib.sha256(json.dumps([hashes, list(seeds), items, *more]).encode()).hexdigest()


def claimed_fingerprint(bundle: Path) -> str:
    """Return the fingerprint that a bundle's manifest claims; its other files are not read.

    Whoever loads the bundle compares the hashes with the files (`textgen.bundle.read`).

    Args:
        bundle: the bundle's folder.

    Raises:
        BundleError: it is absent, or no bundle.
    """

    def found(manifest: Any) -> str:
        sampled = bool(manifest.get("items")), manifest.get("sampling", 1)
        return fingerprint_of(manifest["files"], manifest["seeds"], *sampled)

    return _claimed(bundle, found)


def claimed_tokenizer(bundle: Path) -> str:
    """Return the hash of a bundle's tokenizer, as its manifest claims it; "" for a model of a base.

    Args:
        bundle: the bundle's folder.

    Raises:
        BundleError: it is absent, or no bundle.
    """
    return _claimed(bundle, lambda manifest: str(manifest["files"].get(TOKENIZER, {}).get("sha256", "")))


def _claimed(bundle: Path, found: Callable[[Any], str]) -> str:
    file = Output.of(bundle).standing() / MANIFEST
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST_MANIFEST + 1)
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror}") from None
    try:
        return found(json.loads(data) if len(data) <= LARGEST_MANIFEST else None)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        raise BundleError(f"{file} is not the manifest of a bundle") from None
