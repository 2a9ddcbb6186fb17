"""The bundle: a trained model as a folder of plain data.

=====================  ==================================================================
``spec.json``          the network (`textgen.network.spec`)
``tokenizer.json``     the tokenizer (`textgen.tokenizers`)
``weights.safetensors``  the parameters, 32-bit floats under the names of `NetworkSpec.shapes`
``counts.safetensors``   the counted n-grams (`textgen.experts.kneser_ney`), if the network starts from any
``lines.safetensors``  which lines stand in a corpus of one item a line (`textgen.corpus.known_lines`)
``manifest.json``      format, SHA-256 and size of the others, provenance, figures, history
=====================  ==================================================================

Nothing in it is executed or unpickled. A reader checks sizes and hashes before it parses, and
shapes before it allocates. Serving reads bundles, so Keras must not be imported here.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from textgen.corpus.known_lines import LARGEST_FILE, KnownLines
from textgen.errors import BundleError, TrainingError
from textgen.experts.kneser_ney import KneserNey
from textgen.files import atomic
from textgen.files.output_folder import Output
from textgen.files.ownership import COUNTS as COUNTS
from textgen.files.ownership import FORMAT as FORMAT
from textgen.files.ownership import LINES as LINES
from textgen.files.ownership import MANIFEST as MANIFEST
from textgen.files.ownership import SPEC as SPEC
from textgen.files.ownership import TOKENIZER as TOKENIZER
from textgen.files.ownership import WEIGHTS as WEIGHTS
from textgen.files.ownership import discard
from textgen.network.spec import NetworkSpec
from textgen.tokenizers import Tokenizer
from textgen.tokenizers import from_json as tokenizer_from_json

_LARGEST_JSON = 16 << 20
_LARGEST_MANIFEST = 4 << 20
# Small values take ten times as much memory as text. A tokenizer has 600,000 values at most, in three lists.
_MOST_VALUES = 1_000_000
_MOST_CONTAINERS = 300_000
_MOST_SEEDS, _LONGEST_SEED = 200, 400
_SAFETENSORS_HEADER = 1 << 20
_NEARLY_ALL = 0.95
_LARGEST_COUNTS = 256 << 20

Weights = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        level: what a token is, one of `textgen.levels.LEVELS`.
        cell: kind of the recurrent layers.
        parameters: number of trained numbers.
        vocabulary: number of tokens.
        characters: length of the training text.
        corpus_sha256: SHA-256 of the clean training text in UTF-8.
        validation_loss: nats per token on the validation text.
        bits_per_token: the same in bits.
        perplexity: the exponential of the loss.
        steps: optimizer steps taken.
        seconds: wall-clock time of the training.
        device: what it ran on, as "cpu" or "gpu (NVIDIA H100)".
        created_at: UTC time in ISO 8601.
        stopped: why the training ended ("epochs", "time limit", …).
        fraction: how much of what had been planned was trained, 0 to 1.
        items: whether the text is one item a line (`textgen.corpus.items`).
        textgen_version: the version that wrote the bundle.
        settings: the training's settings.
        history: validation loss over time, as dicts of ``step``, ``seconds``, ``validation_loss``
            and, of later versions, ``training_loss`` since the entry before.
        seeds: beginnings of lines of the corpus, for samples without a seed text.
        text_form: how the corpus was read: ``encodings`` of its files, ``normalization`` of its text (and of
            seed texts), and the `ReadingOptions` that were given; empty in bundles of earlier versions.
    """

    level: str
    cell: str
    parameters: int
    vocabulary: int
    characters: int
    corpus_sha256: str
    validation_loss: float
    steps: int
    seconds: float
    device: str
    created_at: str
    stopped: str
    textgen_version: str
    settings: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    seeds: list[str] = field(default_factory=list)
    text_form: dict[str, Any] = field(default_factory=dict)
    fraction: float = 1.0
    items: bool = False

    @property
    def half_trained(self) -> bool:
        """Whether somebody ended the training before its time."""
        return self.fraction < _NEARLY_ALL

    @property
    def bits_per_token(self) -> float:
        """Validation loss in bits."""
        return self.validation_loss / math.log(2)

    @property
    def perplexity(self) -> float:
        """Number of equally likely tokens that would be as hard to guess."""
        return math.exp(min(self.validation_loss, 700.0))


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle in memory."""

    spec: NetworkSpec
    tokenizer: Tokenizer
    weights: Weights
    manifest: Manifest
    counted: KneserNey | None = None
    known: KnownLines | None = None


def write(path: Path, bundle: Bundle) -> None:
    """Write a bundle so that ``path`` holds either the old one or the new one, never a mixture.

    Raises:
        TrainingError: the weights are not finite, what stands at ``path`` is not ours, or the disk refuses.
    """
    for name, array in bundle.weights.items():
        if not np.isfinite(array).all():
            raise TrainingError(f"the weights {name} are not finite; nothing was saved")
    output = Output.of(path)
    output.check()
    prepared = atomic.beside(output.place, "new")
    try:
        prepared.mkdir(parents=True)
        atomic.write_json(prepared / SPEC, bundle.spec.to_json())
        atomic.write_json(prepared / TOKENIZER, bundle.tokenizer.to_json())
        atomic.write_bytes(prepared / WEIGHTS, safetensors.numpy.save(dict(bundle.weights)))
        if bundle.counted is not None:
            atomic.write_bytes(prepared / COUNTS, safetensors.numpy.save(bundle.counted.to_arrays()))
        if bundle.known is not None:
            atomic.write_bytes(prepared / LINES, safetensors.numpy.save(bundle.known.to_arrays()))
        listing = {
            path.name: {"sha256": atomic.sha256(path), "bytes": path.stat().st_size}
            for path in sorted(prepared.iterdir())
        }
        atomic.write_json(
            prepared / MANIFEST, {"format": FORMAT, "files": listing, **asdict(bundle.manifest)}
        )
        output.put(prepared)
    except OSError as error:
        raise TrainingError(
            f"the bundle {path} cannot be written: {error.strerror}; nothing was changed"
        ) from None
    finally:
        discard(prepared)


def read(path: Path) -> Bundle:
    """Read and check a bundle.

    Raises:
        BundleError: it is absent, damaged, of a newer format, or not a bundle.
    """
    path = _locate(path)
    manifest, listing = _read_manifest(path)
    checked = {name: _read_listed(path, name, listing) for name in (SPEC, TOKENIZER)}
    spec = NetworkSpec.from_json(_parse(checked[SPEC], path / SPEC))
    tokenizer = tokenizer_from_json(_parse(checked[TOKENIZER], path / TOKENIZER))
    if tokenizer.size != spec.vocabulary:
        raise BundleError(
            f"{path}: the tokenizer has {tokenizer.size:,} tokens, the network {spec.vocabulary:,}"
        )
    shapes = spec.shapes()
    largest = _SAFETENSORS_HEADER + 4 * spec.parameters
    weights = _parse_arrays(_read_listed(path, WEIGHTS, listing, largest=largest), path / WEIGHTS)
    found = {name: array.shape for name, array in weights.items()}
    if found != shapes:
        wrong = sorted(name for name in set(found) | set(shapes) if found.get(name) != shapes.get(name))
        raise BundleError(f"{path}: the weights do not fit the spec, beginning with {wrong[0]}")
    for name, array in weights.items():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise BundleError(f"{path}: the weights {name} are not finite 32-bit floats")
    said = (manifest.level, manifest.cell, manifest.parameters, manifest.vocabulary)
    if said != (tokenizer.level, spec.cell, spec.parameters, spec.vocabulary):
        raise BundleError(f"{path / MANIFEST} tells of another model than the other files hold")
    counted = None
    if spec.prior:
        arrays = _parse_arrays(_read_listed(path, COUNTS, listing, largest=_LARGEST_COUNTS), path / COUNTS)
        counted = KneserNey.from_arrays(spec.vocabulary, spec.prior, arrays)
    known = None
    if LINES in listing:
        data = _read_listed(path, LINES, listing, largest=LARGEST_FILE)
        known = KnownLines.from_arrays(_parse_arrays(data, path / LINES))
    return Bundle(spec, tokenizer, weights, manifest, counted, known)


def read_manifest(path: Path) -> Manifest:
    """Read what a bundle says of itself, without its weights.

    Raises:
        BundleError: it is absent, of a newer format, or not a bundle.
    """
    return _read_manifest(_locate(path))[0]


def _locate(path: Path) -> Path:
    """Return the bundle's folder, which may stand aside if a replacement was cut short."""
    path = Output.of(path).standing()
    if not path.is_dir():
        found = "is a file" if path.exists() else "is not there"
        raise BundleError(
            f"{path} {found}; a bundle is a folder, for example DIR/model after `textgen train`"
        )
    return path


def _read_manifest(path: Path) -> tuple[Manifest, dict[str, Any]]:
    data = _parse(_read_limited(path / MANIFEST, _LARGEST_MANIFEST), path / MANIFEST)
    if not isinstance(data, dict):
        raise BundleError(f"{path / MANIFEST} is not a JSON object")
    version = data.get("format")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BundleError(f"{path / MANIFEST} has no format number; this is not a bundle")
    if version > FORMAT:
        raise BundleError(
            f"{path} has bundle format {version}; this version reads up to {FORMAT}: update textgen"
        )
    if version < FORMAT:
        raise BundleError(
            f"{path} has bundle format {version}, which came before the first release; train it again"
        )
    listing = data.get("files")
    try:
        # Bundles of earlier versions lack what came later.
        data = {"text_form": {}, "fraction": 1.0, "items": False, **data}
        manifest = Manifest(**{item.name: data[item.name] for item in fields(Manifest)})
    except KeyError as error:
        raise BundleError(f"{path / MANIFEST} lacks {error.args[0]!r}") from None
    numbers = (
        manifest.parameters,
        manifest.vocabulary,
        manifest.characters,
        manifest.validation_loss,
        manifest.seconds,
        manifest.fraction,
    )
    words = (manifest.level, manifest.cell, manifest.device, manifest.created_at, manifest.stopped)
    lists = (manifest.history, manifest.seeds)
    if (
        not isinstance(listing, dict)
        # No comparison holds for NaN; what counts something fits into 64 bits.
        or not all(isinstance(number, int | float) and abs(number) < 2**63 for number in numbers)
        or not isinstance(manifest.characters, int)
        or not all(isinstance(word, str) for word in words)
        or not all(isinstance(value, list) for value in lists)
        or not isinstance(manifest.text_form, dict)
        or not isinstance(manifest.items, bool)
    ):
        raise BundleError(f"{path / MANIFEST} has values of the wrong kind")
    _check_seeds(manifest.seeds, path)
    for entry in manifest.history:
        # The curve is drawn of them.
        values = entry.values() if isinstance(entry, dict) else [None]
        if not all(isinstance(value, int | float) and abs(value) < 2**63 for value in values):
            raise BundleError(f"{path / MANIFEST} has a history that holds {entry!r:.60}")
    return manifest, listing


def _check_seeds(seeds: list[Any], path: Path) -> None:
    """Refuse line starts that no training keeps: a sample without a seed looks at each of them."""
    if not all(isinstance(seed, str) for seed in seeds):
        raise BundleError(f"{path / MANIFEST} has line starts that are no texts")
    longest = max(map(len, seeds), default=0)
    if len(seeds) > _MOST_SEEDS or longest > _LONGEST_SEED:
        raise BundleError(
            f"{path / MANIFEST} has {len(seeds):,} line starts, the longest of {longest:,} characters; "
            f"at most {_MOST_SEEDS} of {_LONGEST_SEED} are read"
        )


def _read_listed(path: Path, name: str, listing: dict[str, Any], *, largest: int = _LARGEST_JSON) -> bytes:
    """Read a file of the bundle and compare it with the manifest."""
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


def _parse_arrays(data: bytes, path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        return safetensors.numpy.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise BundleError(f"{path} is not a safetensors file: {error}") from None
