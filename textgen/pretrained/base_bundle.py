"""A base on disk: a folder of plain data with a hash for each file. Nothing in it is code.

- ``base.json``: format, name, source, licence, languages, spec, and the size and SHA-256 of the other files.
- ``tokenizer.json``: `BaseTokenizer.to_json`.
- ``weights.safetensors``: each kernel as 8-bit rows, its scales as ``NAME.scale``, and the norms.

Reading maps the weights. Their hash is compared when a base is added, not at each start, because that
would read all of them: whatever the bytes are, they make wrong words and nothing worse.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.files import atomic
from textgen.pretrained.base import About, Base, Matrix
from textgen.pretrained.bounded import parse_json, read_bounded, size_of
from textgen.pretrained.safetensors_file import SafetensorsFile, pieces
from textgen.pretrained.spec import LlamaSpec
from textgen.pretrained.tokenizer import BaseTokenizer

FORMAT = 1
ABOUT, TOKENIZER, WEIGHTS = "base.json", "tokenizer.json", "weights.safetensors"
FILES = frozenset({ABOUT, TOKENIZER, WEIGHTS})

_LARGEST_ABOUT = 1 << 20
_LARGEST_TOKENIZER = 64 << 20
_MOST_LANGUAGES, _LONGEST_WORD = 200, 300
_LARGEST_FLOAT = 1000.0
"""Of norms and of scales; published ones are below 100."""


def read(path: Path) -> Base:
    """Return the base in a folder.

    Raises:
        BundleError: it is absent, damaged, of a newer format, or no base.
    """
    about, spec, listing, identity = read_about(path)
    data = read_bounded(path / TOKENIZER, _LARGEST_TOKENIZER)
    if hashlib.sha256(data).hexdigest() != listing[TOKENIZER]["sha256"]:
        raise BundleError(f"{path / TOKENIZER} is damaged: remove the base and add it again")
    tokenizer = BaseTokenizer.from_json(parse_json(data, path / TOKENIZER))
    if tokenizer.size != spec.vocabulary:
        raise BundleError(
            f"{path}: the tokenizer has {tokenizer.size:,} tokens, the network {spec.vocabulary:,}"
        )
    if size_of(path / WEIGHTS) != listing[WEIGHTS]["bytes"]:
        raise BundleError(f"{path / WEIGHTS} is damaged or cut: remove the base and add it again")
    weights, norms = _mapped(SafetensorsFile(path / WEIGHTS), spec)
    return Base(about, spec, tokenizer, weights, norms, identity, path)


def write(
    folder: Path,
    about: About,
    spec: LlamaSpec,
    tokenizer: BaseTokenizer,
    weight: Callable[[str], npt.NDArray[np.float32]],
) -> None:
    """Write a base into an empty folder. One weight is in memory at a time.

    Args:
        folder: the folder. `textgen.pretrained.store.add` gives it its name when it is complete.
        about: what the base says about itself.
        spec: its sizes.
        tokenizer: its tokenizer.
        weight: returns the weight of a name of `LlamaSpec.shapes`, in that shape.

    Raises:
        BundleError: a weight has another shape or a number that is not finite.
        OSError: the disk refuses.
    """
    if tokenizer.size != spec.vocabulary:
        raise BundleError(f"the tokenizer has {tokenizer.size:,} tokens, the network {spec.vocabulary:,}")
    text = json.dumps(tokenizer.to_json(), ensure_ascii=False, separators=(",", ":"))
    atomic.write_bytes(folder / TOKENIZER, text.encode())
    with (folder / WEIGHTS).open("xb") as stream:
        for piece in pieces(_layout(spec), _quantized(spec, weight)):
            stream.write(piece)
        atomic.sync(stream)
    files = {
        name: {"sha256": atomic.sha256(folder / name), "bytes": (folder / name).stat().st_size}
        for name in (TOKENIZER, WEIGHTS)
    }
    described = {
        "format": FORMAT,
        "name": about.name,
        "title": about.title,
        "source": about.source,
        "licence": about.licence,
        "languages": list(about.languages),
        "spec": spec.to_json(),
        "files": files,
    }
    atomic.write_json(folder / ABOUT, described)


def _layout(spec: LlamaSpec) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return type and shape of each array of the file."""
    layout: dict[str, tuple[str, tuple[int, ...]]] = {}
    for name, shape in spec.shapes().items():
        if len(shape) == 1:
            layout[name] = "F32", shape
        else:
            # Scales first: 32-bit numbers must begin at a multiple of 4, and rows may have any length.
            layout[f"{name}.scale"] = "F32", shape[:1]
    return layout | {name: ("I8", shape) for name, shape in spec.shapes().items() if len(shape) == 2}


def _quantized(
    spec: LlamaSpec, weight: Callable[[str], npt.NDArray[np.float32]]
) -> Iterator[npt.NDArray[Any]]:
    """Yield the arrays of `_layout`. Kernels are asked for twice, so that only one is in memory."""

    def checked(name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        array = weight(name)
        if array.shape != shape:
            raise BundleError(f"the weight {name} has the shape {array.shape}; the sizes ask for {shape}")
        if not (np.abs(array) <= _LARGEST_FLOAT).all():
            raise BundleError(f"the weight {name} holds numbers above {_LARGEST_FLOAT:,.0f}, or none")
        return array

    shapes = spec.shapes()
    for name, shape in shapes.items():
        array = checked(name, shape)
        yield array if len(shape) == 1 else Matrix.of(array).scales
    for name, shape in shapes.items():
        if len(shape) == 2:
            yield Matrix.of(checked(name, shape)).rows


def _mapped(
    file: SafetensorsFile, spec: LlamaSpec
) -> tuple[dict[str, Matrix], dict[str, npt.NDArray[np.float32]]]:
    layout = _layout(spec)
    found = {name: (entry.kind, entry.shape) for name, entry in file.entries.items()}
    if found != layout:
        wrong = sorted(name for name in {*found, *layout} if found.get(name) != layout.get(name))
        raise BundleError(f"{file.path}: the weights do not fit the spec, beginning with {wrong[0]!r:.60}")
    weights, norms = {}, {}
    for name, shape in spec.shapes().items():
        floats = name if len(shape) == 1 else f"{name}.scale"
        # NaN fails the comparison. Within these bounds no product in a step leaves the range of its type.
        if not (np.abs(file.array(floats)) <= _LARGEST_FLOAT).all():
            raise BundleError(f"{file.path}: {floats} holds numbers above {_LARGEST_FLOAT:,.0f}, or none")
        if len(shape) == 1:
            norms[name] = file.array(name)
        else:
            weights[name] = Matrix(file.array(name), file.array(floats))
    return weights, norms


def read_about(path: Path) -> tuple[About, LlamaSpec, dict[str, Any], str]:
    """Return what a base says about itself, its sizes, the entries of its other files, and its hash.

    Raises:
        BundleError: it is absent or damaged.
    """
    file = path / ABOUT
    data = parse_json(read_bounded(file, _LARGEST_ABOUT), file)
    version = data.get("format") if isinstance(data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BundleError(f"{file} has no format number; {path} is no base")
    if version > FORMAT:
        raise BundleError(
            f"{path} has base format {version}; this version reads up to {FORMAT}: update textgen"
        )
    words = [data.get(name) for name in ("name", "source", "licence", "title")]
    languages, files = data.get("languages"), data.get("files")
    if not isinstance(languages, list) or not all(map(_is_word, [*words, *languages[:_MOST_LANGUAGES]])):
        raise BundleError(f"{file} has values of the wrong kind")
    listing = {}
    for name in (TOKENIZER, WEIGHTS):
        entry = files.get(name) if isinstance(files, dict) else None
        if (
            not isinstance(entry, dict)
            or not _is_word(entry.get("sha256"))
            or type(entry.get("bytes")) is not int
        ):
            raise BundleError(f"{file} does not list {name}")
        listing[name] = entry
    spec = LlamaSpec.from_json(data.get("spec"))
    name, source, licence, title = words
    about = About(name, source, licence, tuple(languages[:_MOST_LANGUAGES]), title)
    hashes = [listing[name]["sha256"] for name in (TOKENIZER, WEIGHTS)]
    identity = hashlib.sha256(json.dumps([spec.to_json(), *hashes], sort_keys=True).encode()).hexdigest()
    return about, spec, listing, identity


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_WORD
