"""The settings of a training: every flag of `textgen train` as one checked value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from textgen.argument_checks import check_choice, check_flag, check_number, plain, refuse_unknown
from textgen.errors import SettingsError
from textgen.experts.counting import order_for
from textgen.experts.registry import FURTHER
from textgen.files.bases import LLAMA
from textgen.levels import DEFAULT_LEVEL, LEVELS, WORD
from textgen.network.cells.registry import CELLS
from textgen.network.spec import NetworkSpec
from textgen.settings.presets import DEFAULT_PRESET, PRESETS, TUNED, cell_of, recipe

OPTIMIZERS = ("rmsprop", "adam", "adamw", "sgd")
SCHEDULES = ("constant", "cosine")

_FLAGS = ("pristine_input", "pristine_output", "keep_seeds")
_SPELLINGS = {"vocab_size": "vocabulary_size", "checkpoint_seconds": "checkpoint_s"}
"""Flags of the command, and the attribute that each one sets where the names differ."""

# Lowest and highest value. Where both are whole numbers, the value must be one.
_BOUNDS: dict[str, tuple[float, float]] = {
    "embedding_size": (1, 4096),
    "rnn_size": (1, 8192),
    "num_layers": (1, 32),
    "batch_size": (1, 4096),
    "seq_length": (1, 8192),
    "seq_step": (1, 8192),
    "num_epochs": (1, 1_000_000),
    "random_seed": (0, 2**31 - 1),
    "dropout": (0.0, 0.95),
    "learning_rate": (1e-8, 10.0),
    "validation_split": (0.0, 0.5),
    "fresh_starts": (0.0, 1.0),
    "rank": (0, 256),
    "checkpoint_s": (0.1, 86_400.0),
    "time_limit": (1.0, 31 * 86_400.0),
    "patience": (1, 1_000_000),
    "vocabulary_size": (2, 1_000_000),
}
_OPTIONAL = {"time_limit", "patience", "vocabulary_size"}


class TrainingKeywords(TypedDict, total=False):
    """Keywords of `textgen.train` and `TrainingSettings.from_flags`; None stands for the preset's value."""

    preset: str | None
    level: str | None
    word_tokens: bool | None
    pristine_input: bool | None
    pristine_output: bool | None
    cell: str | None
    embedding_size: int | None
    rnn_size: int | None
    num_layers: int | None
    dropout: float | None
    optimizer: str | None
    learning_rate: float | None
    schedule: str | None
    batch_size: int | None
    seq_length: int | None
    seq_step: int | None
    num_epochs: int | None
    expansion: int | None
    prior: int | None
    experts: tuple[str, ...] | None
    fresh_starts: float | None
    time_limit: float | None
    patience: int | None
    validation_split: float | None
    vocabulary_size: int | None
    vocab_size: int | None
    random_seed: int | None
    keep_seeds: bool | None
    no_seeds: bool | None
    checkpoint_s: float | None
    checkpoint_seconds: float | None


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Everything that decides what a training does with a corpus.

    Attributes:
        preset: name of the recipe that sets all values that are not given.
        level: what a token is, one of `textgen.levels.LEVELS`.
        pristine_input: keep upper case (subword level always does); at word level, split at white space
            only.
        pristine_output: at word level, write every token as it is, with a space between two tokens.
        cell: kind of the recurrent layers.
        embedding_size: length of a token's vector.
        rnn_size: units of each recurrent layer.
        num_layers: number of recurrent layers.
        dropout: share of a layer's outputs that are set to zero in training.
        optimizer: one of `OPTIMIZERS`.
        learning_rate: step size of the optimizer.
        schedule: "constant", or "cosine": the learning rate rises in the first steps and then falls to a
            twentieth.
        batch_size: number of strips of the text that are trained side by side.
        seq_length: tokens of a window; gradients flow back no further (truncated back-propagation).
        seq_step: tokens between the offsets at which each epoch reads the text again.
        num_epochs: number of passes over the whole text.
        time_limit: seconds from the start of the process to the saved bundle; None for no limit.
        patience: early stopping: end after so many validations without a better loss; None for never.
        validation_split: share of the corpus that is held out if there is no validation file.
        vocabulary_size: highest number of tokens; None for the level's own (`textgen.tokenizers`).
        expansion: see `textgen.network.spec.NetworkSpec`.
        prior: see there; a large vocabulary can lower it.
        experts: see there; a training leaves out what does not help on its corpus.
        fresh_starts: share of the windows that start with an empty state, so that the model learns to
            begin a text and not only to continue one.
        random_seed: decides the initial weights and dropout.
        base: fingerprint of the model that this one continues
            (`textgen.training.fine_tuning.fingerprint`), or None.
        rank: columns of the matrices that are added to a pretrained base; 0 without one.
        keep_seeds: whether the bundle keeps line starts of the corpus for sampling.
        checkpoint_s: seconds between checkpoints.

    Raises:
        SettingsError: a value is outside its bounds.

    Example:
        >>> settings = textgen.TrainingSettings.from_flags(preset="tiny", level="word")
        >>> settings.rnn_size
        64
    """

    preset: str
    level: str
    pristine_input: bool
    cell: str
    embedding_size: int
    rnn_size: int
    num_layers: int
    dropout: float
    optimizer: str
    learning_rate: float
    schedule: str
    batch_size: int
    seq_length: int
    seq_step: int
    num_epochs: int
    expansion: int = 0
    prior: int = 0
    experts: tuple[str, ...] = ()
    fresh_starts: float = 0.0
    pristine_output: bool = False
    base: str | None = None
    rank: int = 0
    time_limit: float | None = None
    patience: int | None = None
    validation_split: float = 0.05
    vocabulary_size: int | None = None
    random_seed: int = 1
    keep_seeds: bool = True
    checkpoint_s: float = 10.0

    def __post_init__(self) -> None:
        """Check every bound."""
        for item in dataclasses.fields(self):
            object.__setattr__(self, item.name, plain(getattr(self, item.name)))
        for name in _FLAGS:
            check_flag(name, getattr(self, name))
        check_choice("preset", self.preset, (TUNED,) if self.rank else PRESETS)
        check_choice("level", self.level, LEVELS)
        check_choice("cell", self.cell, (LLAMA,) if self.rank else CELLS)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("schedule", self.schedule, SCHEDULES)
        object.__setattr__(self, "experts", _names(self.experts))
        for name, (low, high) in _BOUNDS.items():
            shown_as = "vocab_size" if name == "vocabulary_size" else name
            check_number(shown_as, getattr(self, name), low, high, optional=name in _OPTIONAL)

    @classmethod
    def from_flags(
        cls,
        preset: str | None = None,
        cell: str | None = None,
        level: str | None = None,
        word_tokens: bool | None = None,
        pristine_input: bool | None = None,
        **flags: Any,
    ) -> TrainingSettings:
        """Return a preset's settings, changed by the given flags. A flag of None is not given.

        Args:
            preset: see the attributes.
            cell: see the attributes.
            level: see the attributes.
            word_tokens: the same as ``level="word"``, by the name that keras-text-generation has for it.
            pristine_input: see the attributes.
            **flags: the other attributes. Names of the command's flags work too (``vocab_size``,
                ``no_seeds``, ``checkpoint_seconds``).

        Raises:
            SettingsError: a flag is unknown, a value is outside its bounds, or two flags contradict each
                other.
        """
        check_flag("word_tokens", word_tokens or False)
        if level is not None:
            check_choice("level", level, LEVELS)
        if word_tokens and level not in (None, WORD.name):
            raise SettingsError(f"word_tokens means level word, but level is {level!r}; give one of them")
        refuse_unknown(flags, TrainingKeywords.__annotations__)
        level = WORD.name if word_tokens else level or DEFAULT_LEVEL
        preset = preset or DEFAULT_PRESET
        check_choice("preset", preset, PRESETS)
        cell = cell or cell_of(preset)
        check_choice("cell", cell, CELLS)
        values = recipe(preset, cell, level)
        values |= by_attribute(flags)
        # The linear cell has no projection after the embedding, so both have the same size.
        values.setdefault("embedding_size", values["rnn_size"])
        return cls(preset=preset, level=level, pristine_input=pristine_input or False, **values)

    def network(self, vocabulary: int) -> NetworkSpec:
        """Return the shape of the network.

        Args:
            vocabulary: number of tokens.

        Raises:
            SettingsError: it has too many parameters.
        """
        return NetworkSpec(
            cell=self.cell,
            vocabulary=vocabulary,
            embedding=self.embedding_size,
            units=self.rnn_size,
            layers=self.num_layers,
            dropout=self.dropout,
            expansion=self.expansion,
            prior=min(self.prior, order_for(vocabulary)),
            experts=self.experts if self.prior else (),
        )

    def fingerprint(self) -> dict[str, Any]:
        """Return the settings that must equal a checkpoint's: all but limits, intervals and kept seeds."""
        free = {"time_limit", "patience", "num_epochs", "checkpoint_s", "keep_seeds"}
        chosen = {**dataclasses.asdict(self), "experts": list(self.experts)}
        return {name: value for name, value in chosen.items() if name not in free}


def by_attribute(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of flags by the attributes of `TrainingSettings` that they set.

    Args:
        flags: values by the names of attributes, or of the command's flags. A value of None is not given.
    """
    given = {_SPELLINGS.get(name, name): value for name, value in flags.items() if value is not None}
    if "no_seeds" in given:
        given["keep_seeds"] = not given.pop("no_seeds")
    return given


def _names(experts: Any) -> tuple[str, ...]:
    """Check the experts.

    Raises:
        SettingsError: they are not known, or not a list.
    """
    if not isinstance(experts, list | tuple) or not all(name in FURTHER for name in experts):
        raise SettingsError(f"experts is {experts!r}; it must be a list of {', '.join(FURTHER)}, or empty")
    return tuple(experts)
