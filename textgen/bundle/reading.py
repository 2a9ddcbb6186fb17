"""Reading a bundle: sizes and hashes are checked before parsing, and shapes before memory is allocated."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from textgen.bundle import tuned
from textgen.bundle.contents import Bundle
from textgen.bundle.manifest import Manifest, parse_manifest
from textgen.corpus.known_lines import LARGEST_FILE, KnownLines
from textgen.errors import BundleError
from textgen.experts.expert import Expert
from textgen.experts.registry import from_arrays
from textgen.files.bundle_files import COUNTS, LINES, MANIFEST, SPEC, TOKENIZER, WEIGHTS
from textgen.files.fingerprint import LARGEST_MANIFEST, fingerprint_of
from textgen.files.output_folder import Output
from textgen.network.spec import NetworkSpec
from textgen.pretrained.tuned.spec import TunedSpec
from textgen.tokenizers import Tokenizer
from textgen.tokenizers import from_json as tokenizer_from_json

_LARGEST_JSON = 16 << 20
# Small JSON values take ten times as much memory as their text. A tokenizer has at most 600,000 values, in
# three lists.
_MOST_VALUES = 1_000_000
_MOST_CONTAINERS = 300_000
_SAFETENSORS_HEADER = 1 << 20
_LARGEST_COUNTS = 256 << 20


def read(path: Path) -> Bundle:
    """Read and check a bundle.

    Args:
        path: the bundle's folder.

    Raises:
        BundleError: it is absent, damaged, of a newer format, or not a bundle.
    """
    path = _locate(path)
    manifest, listing = _read_manifest(path)
    checked = {name: _read_listed(path, name, listing) for name in (SPEC, TOKENIZER)}
    described = _parse(checked[SPEC], path / SPEC)
    tokens = _parse(checked[TOKENIZER], path / TOKENIZER)
    spec: NetworkSpec | TunedSpec
    base = None
    if TunedSpec.describes(described):
        spec = TunedSpec.from_json(described)
        base = tuned.base_of(spec, tokens, str(path))
        tokenizer: Tokenizer = base.tokenizer
    else:
        spec = NetworkSpec.from_json(described)
        tokenizer = tokenizer_from_json(tokens)
    if tokenizer.size != spec.vocabulary:
        raise BundleError(
            f"{path}: the tokenizer has {tokenizer.size:,} tokens, the network {spec.vocabulary:,}"
        )
    shapes = spec.shapes()
    weights = _read_arrays(path, WEIGHTS, listing, _SAFETENSORS_HEADER + 4 * spec.parameters)
    found = {name: array.shape for name, array in weights.items()}
    if found != shapes:
        wrong = sorted(name for name in set(found) | set(shapes) if found.get(name) != shapes.get(name))
        raise BundleError(f"{path}: the weights do not fit the spec, beginning with {wrong[0]}")
    kind = np.dtype(np.float16 if base else np.float32)
    for name, array in weights.items():
        if array.dtype != kind or not np.isfinite(array).all():
            raise BundleError(f"{path}: the weights {name} are not finite {8 * kind.itemsize}-bit floats")
        weights[name] = array.astype(np.float32, copy=False)
    if base:
        tuned.check_mixture(weights, str(path))
    said = (manifest.level, manifest.cell, manifest.parameters, manifest.vocabulary)
    if said != (tokenizer.level, spec.cell, spec.parameters, spec.vocabulary):
        raise BundleError(f"{path / MANIFEST} tells of another model than the other files hold")
    experts: tuple[Expert, ...] = ()
    if spec.prior:
        arrays = _read_arrays(path, COUNTS, listing, _LARGEST_COUNTS)
        experts = from_arrays(spec.vocabulary, spec.prior, spec.experts, arrays)
    known = None
    if LINES in listing:
        known = KnownLines.from_arrays(_read_arrays(path, LINES, listing, LARGEST_FILE))
    fingerprint = fingerprint_of(listing, manifest.seeds, manifest.items, manifest.sampling)
    return Bundle(spec, tokenizer, weights, manifest, experts, known, base, fingerprint)


def read_manifest(path: Path) -> Manifest:
    """Read a bundle's manifest only.

    Args:
        path: the bundle's folder.

    Raises:
        BundleError: it is absent, of a newer format, or not a bundle.
    """
    return _read_manifest(_locate(path))[0]


def _locate(path: Path) -> Path:
    """Return the bundle's folder; after an interrupted replacement that is the previous bundle's."""
    path = Output.of(path).standing()
    if not path.is_dir():
        found = "is a file" if path.exists() else "is not there"
        raise BundleError(
            f"{path} {found}; a bundle is a folder, for example DIR/model after `textgen train`"
        )
    return path


def _read_manifest(path: Path) -> tuple[Manifest, dict[str, Any]]:
    file = path / MANIFEST
    return parse_manifest(_parse(_read_limited(file, LARGEST_MANIFEST), file), file)


def _read_arrays(path: Path, name: str, listing: dict[str, Any], largest: int) -> dict[str, npt.NDArray[Any]]:
    """Read a safetensors file of the bundle; see `_read_listed`."""
    data = _read_listed(path, name, listing, largest)
    try:
        return safetensors.numpy.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise BundleError(f"{path / name} is not a safetensors file: {error}") from None


def _read_listed(path: Path, name: str, listing: dict[str, Any], largest: int = _LARGEST_JSON) -> bytes:
    """Read a file of the bundle and compare its hash with the manifest's."""
    entry = listing.get(name)
    expected = entry.get("sha256") if isinstance(entry, dict) else None
    data = _read_limited(path / name, largest)
    if hashlib.sha256(data).hexdigest() != expected:
        raise BundleError(
            f"{path / name} is damaged: its SHA-256 is not the one in {MANIFEST}; train or copy it again"
        )
    return data


def _read_limited(path: Path, largest: int) -> bytes:
    """Read a regular file of at most ``largest`` bytes."""
    try:
        if path.is_symlink() or not path.is_file():
            raise BundleError(f"{path} is not there; the bundle is not complete")
        size = path.stat().st_size
        if size > largest:
            raise BundleError(f"{path} has {size:,} bytes; at most {largest:,} are expected")
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from None


def _parse(data: bytes, path: Path) -> Any:
    if data.count(b",") > _MOST_VALUES or data.count(b"[") + data.count(b"{") > _MOST_CONTAINERS:
        raise BundleError(f"{path} holds more values than any bundle's file")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise BundleError(f"{path} is not valid JSON") from None
