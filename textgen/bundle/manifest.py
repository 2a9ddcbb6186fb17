"""A bundle's manifest: what the bundle says about itself, and the checks of what is read from a file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from textgen.errors import BundleError
from textgen.files.bundle_files import FIRST_FORMAT, FORMAT, NEWEST_SAMPLING

_MOST_SEEDS, _LONGEST_SEED = 200, 400
_NEARLY_ALL = 0.95


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says about itself; `textgen.train` returns it as `textgen.TrainingResult`.

    Attributes:
        level: what a token is, one of `textgen.levels.LEVELS`.
        cell: kind of the recurrent layers.
        parameters: number of trained parameters.
        vocabulary: number of tokens.
        characters: length of the training text.
        corpus_sha256: SHA-256 of the clean training text in UTF-8.
        validation_loss: nats per token on the validation text.
        steps: number of optimizer steps.
        seconds: wall-clock time of the training.
        device: where it ran, for example "cpu" or "gpu (NVIDIA H100)".
        created_at: UTC time in ISO 8601.
        stopped: why the training ended ("epochs", "time limit", …).
        textgen_version: the version that wrote the bundle.
        settings: the training's settings.
        history: validation loss over time, as dicts of ``step``, ``seconds``, ``validation_loss`` and (not
            in bundles of early versions) ``training_loss``, the mean since the entry before.
        seeds: line starts of the corpus, for samples without a prompt.
        text_form: how the corpus was read: ``encodings`` of its files, ``normalization`` of its text (and of
            prompts), and the given `ReadingOptions`; empty in bundles of early versions.
        fraction: share of the planned training that was done, 0 to 1.
        items: whether the text has one item a line (`textgen.corpus.one_item_a_line`).
        expert_losses: nats per token on the validation text of each counted model alone, by its name, and of
            their mixture without a network, as "mixed". Empty if there were fewer than two.
        sampling: version of the rules by which texts are drawn. With 2, at level subword, a temperature below
            1 does not make repeats likelier (`textgen.sampling.repeats`), and the tokens that spell the end
            of a seed are weighed (`textgen.sampling.prompt_end`). At other levels, and in early bundles, 1.

    Example:
        >>> result = textgen.train("plays", output="model", time_limit=3)
        >>> result.perplexity < result.vocabulary
        True
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
    expert_losses: dict[str, float] = field(default_factory=dict)
    sampling: int = 1

    @property
    def half_trained(self) -> bool:
        """Whether the training was ended early by a person."""
        return self.fraction < _NEARLY_ALL

    @property
    def bits_per_token(self) -> float:
        """Validation loss in bits per token."""
        return self.validation_loss / math.log(2)

    @property
    def perplexity(self) -> float:
        """The exponential of the validation loss."""
        return math.exp(min(self.validation_loss, 700.0))


def parse_manifest(data: Any, file: Path) -> tuple[Manifest, dict[str, Any]]:
    """Return the manifest that JSON data describes, and its listing of the bundle's other files.

    Args:
        data: the parsed content of ``manifest.json``.
        file: where that was read, for the error's message.

    Raises:
        BundleError: the data is no manifest, or of another format.
    """
    if not isinstance(data, dict):
        raise BundleError(f"{file} is not a JSON object")
    version = data.get("format")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BundleError(f"{file} has no format number; this is not a bundle")
    if version > FORMAT:
        raise BundleError(
            f"{file.parent} has bundle format {version}; this version reads up to {FORMAT}: update textgen"
        )
    if version < FIRST_FORMAT:
        raise BundleError(
            f"{file.parent} has bundle format {version}, which came before the first release; train it again"
        )
    listing = data.get("files")
    try:
        # Bundles of early versions lack these.
        early = {"text_form": {}, "fraction": 1.0, "items": False, "expert_losses": {}}
        data = {**early, "sampling": 1, **data}
        manifest = Manifest(**{item.name: data[item.name] for item in fields(Manifest)})
    except KeyError as error:
        raise BundleError(f"{file} lacks {error.args[0]!r}") from None
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
        # NaN fails the comparison. Every honest count fits into 64 bits.
        or not all(isinstance(number, int | float) and abs(number) < 2**63 for number in numbers)
        or not isinstance(manifest.characters, int)
        or not all(isinstance(word, str) for word in words)
        or not all(isinstance(value, list) for value in lists)
        or not isinstance(manifest.text_form, dict)
        or not isinstance(manifest.items, bool)
        or type(manifest.sampling) is not int
        or not 1 <= manifest.sampling <= NEWEST_SAMPLING
        or not _are_figures(manifest.expert_losses)
    ):
        raise BundleError(f"{file} has values of the wrong kind")
    _check_seeds(manifest.seeds, file)
    for entry in manifest.history:
        # The loss curve is drawn from these numbers.
        if not _are_figures(entry):
            raise BundleError(f"{file} has a history that holds {entry!r:.60}")
    return manifest, listing


def _are_figures(data: Any) -> bool:
    values = data.values() if isinstance(data, dict) else [None]
    return all(isinstance(value, int | float) and abs(value) < 2**63 for value in values)


def _check_seeds(seeds: list[Any], file: Path) -> None:
    """Refuse more line starts than a training keeps: a sample without a prompt looks at each of them."""
    if not all(isinstance(seed, str) for seed in seeds):
        raise BundleError(f"{file} has line starts that are no texts")
    longest = max(map(len, seeds), default=0)
    if len(seeds) > _MOST_SEEDS or longest > _LONGEST_SEED:
        raise BundleError(
            f"{file} has {len(seeds):,} line starts, the longest of {longest:,} characters; "
            f"at most {_MOST_SEEDS} of {_LONGEST_SEED} are read"
        )
