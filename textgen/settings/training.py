"""How a training goes: every flag of `textgen train` as one checked value, and the presets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from textgen.errors import SettingsError
from textgen.experts.counting import order_for
from textgen.levels import DEFAULT_LEVEL, LEVELS, WORD
from textgen.network.cells.registry import CELLS, DEFAULT_CELL
from textgen.network.spec import NetworkSpec
from textgen.values import plain, refuse_unknown, shown

DEFAULT_PRESET = "small"

_SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"rnn_size": 64, "num_layers": 2},
    "small": {"rnn_size": 128, "num_layers": 2},
    "medium": {"rnn_size": 256, "num_layers": 2, "dropout": 0.2},
    "large": {"rnn_size": 384, "num_layers": 3, "dropout": 0.2},
}

# keras-text-generation's own recipe (train.py and model.py of mattdangerw/keras-text-generation).
_CLASSIC: dict[str, Any] = {
    "cell": "lstm",
    "embedding_size": 64,
    "rnn_size": 128,
    "num_layers": 2,
    "dropout": 0.2,
    "optimizer": "rmsprop",
    "learning_rate": 1e-3,
    "schedule": "constant",
    "batch_size": 32,
    "seq_length": 50,
    "seq_step": 25,
    "num_epochs": 50,
}

PRESETS = ("classic", *_SIZES)

OPTIMIZERS = ("rmsprop", "adam", "adamw", "sgd")
SCHEDULES = ("constant", "cosine")

_FLAGS = ("pristine_input", "pristine_output", "keep_seeds")
_SPELLINGS = {"vocab_size": "vocabulary_size", "checkpoint_seconds": "checkpoint_s"}
"""Flags of the command whose names here are others."""

_WHOLE = {
    "embedding_size": (1, 4096),
    "rnn_size": (1, 8192),
    "num_layers": (1, 32),
    "batch_size": (1, 4096),
    "seq_length": (1, 8192),
    "seq_step": (1, 8192),
    "num_epochs": (1, 1_000_000),
    "random_seed": (0, 2**31 - 1),
}
_REAL = {
    "dropout": (0.0, 0.95),
    "learning_rate": (1e-8, 10.0),
    "validation_split": (0.0, 0.5),
    "fresh_starts": (0.0, 1.0),
    "checkpoint_s": (0.1, 86_400.0),
}


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Everything that decides what a training does with a corpus.

    Attributes:
        preset: name of the recipe that the other values come from unless given.
        level: what a token is, one of `textgen.levels.LEVELS`.
        pristine_input: keep upper case (at subword level it always is); at word level, split at white
            space alone.
        pristine_output: at word level, show the tokens with a space between any two.
        cell: kind of the recurrent layers.
        embedding_size: size of a token's vector.
        rnn_size: size of each recurrent layer.
        num_layers: number of recurrent layers.
        dropout: share of a layer's outputs that are zeroed in training.
        optimizer: one of `OPTIMIZERS`.
        learning_rate: step size of the optimizer.
        schedule: "constant", or "cosine": up within the first steps, then down to a twentieth.
        batch_size: texts trained side by side.
        seq_length: tokens through which gradients flow.
        seq_step: distance of the offsets at which the text is gone through again.
        num_epochs: times the whole text is trained on.
        time_limit: seconds from the start of the process to the saved bundle, or None.
        patience: stop after so many validations without a better loss, or None.
        validation_split: share of the corpus held out where there is no validation file.
        vocabulary_size: at most so many tokens, or None for what suits the level
            (`textgen.tokenizers`).
        expansion: see `textgen.network.spec.NetworkSpec`.
        prior: see there; a large vocabulary can make it shorter.
        fresh_starts: share of the windows that are read as if nothing had been before them, so that the
            model learns to begin a text and not only to go on.
        random_seed: decides first weights and dropout.
        base: which model this one goes on from, as `textgen.training.base.fingerprint` tells it, or None.
        keep_seeds: whether line starts of the corpus are kept for sampling.
        checkpoint_s: seconds between checkpoints.

    Raises:
        SettingsError: a value lies outside its bounds.
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
    fresh_starts: float = 0.0
    pristine_output: bool = False
    base: str | None = None
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
        _check_choice("preset", self.preset, PRESETS)
        _check_choice("level", self.level, tuple(LEVELS))
        _check_choice("cell", self.cell, tuple(CELLS))
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        _check_choice("schedule", self.schedule, SCHEDULES)
        for name, (low, high) in _WHOLE.items():
            _check_whole(name, getattr(self, name), low, high)
        for name, (lowest, highest) in _REAL.items():
            check_real(name, getattr(self, name), lowest, highest)
        if self.time_limit is not None:
            check_real("time_limit", self.time_limit, 1.0, 31 * 86_400.0)
        if self.patience is not None:
            _check_whole("patience", self.patience, 1, 1_000_000)
        if self.vocabulary_size is not None:
            _check_whole("vocab_size", self.vocabulary_size, 2, 1_000_000)

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
        """Return a preset's settings with the given flags over them; None stands for "not given".

        Args:
            preset: see the attributes.
            cell: see there.
            level: see there.
            word_tokens: the ancestor's name for ``level="word"``.
            pristine_input: see the attributes.
            **flags: the other attributes, or as the command's flags are spelt (``vocab_size``, ``no_seeds``,
                ``checkpoint_seconds``).

        Raises:
            SettingsError: a value lies outside its bounds, or two contradict each other.
        """
        check_flag("word_tokens", word_tokens or False)
        if level is not None:
            _check_choice("level", level, tuple(LEVELS))
        if word_tokens and level not in (None, WORD.name):
            raise SettingsError(f"word_tokens means level word, but level is {level!r}; give one of them")
        for name, value in list(flags.items()):
            if name in _SPELLINGS:
                flags[_SPELLINGS[name]] = flags.pop(name)
            elif name == "no_seeds":
                flags["keep_seeds"] = None if flags.pop(name) is None else not value
        refuse_unknown(flags, [*(item.name for item in dataclasses.fields(cls)), "word_tokens"])
        level = WORD.name if word_tokens else level or DEFAULT_LEVEL
        preset = preset or DEFAULT_PRESET
        _check_choice("preset", preset, PRESETS)
        cell = cell or (_CLASSIC["cell"] if preset == "classic" else DEFAULT_CELL)
        _check_choice("cell", cell, tuple(CELLS))
        kind = CELLS[cell]
        if preset != "classic":
            changes = {**kind.recipes_by_preset.get(preset, {}), **kind.recipes_by_level.get(level, {})}
            values = {**kind.recipe, **_SIZES[preset], **changes, "cell": cell}
        elif kind.suits_classic:
            values = {**_CLASSIC, "cell": cell}
        else:
            suitable = " or ".join(name for name, other in CELLS.items() if other.suits_classic)
            raise SettingsError(
                f"the preset classic has no cell {cell}; choose {suitable}, or another preset"
            )
        values |= {name: value for name, value in flags.items() if value is not None}
        # The cell linear has no projection between its embeddings and its layers.
        values.setdefault("embedding_size", values["rnn_size"])
        return cls(preset=preset, level=level, pristine_input=pristine_input or False, **values)

    def network(self, vocabulary: int) -> NetworkSpec:
        """Return the network for a vocabulary.

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
        )

    def fingerprint(self) -> dict[str, Any]:
        """Return what a checkpoint must agree with: all but how long and how often."""
        free = {"time_limit", "patience", "num_epochs", "checkpoint_s", "keep_seeds"}
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in free}


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingsError(f"{name} is {shown(value)}; it can be {', '.join(choices)}")


def check_flag(name: str, value: object) -> None:
    """See to it that a value is True or False, NumPy's own included.

    Raises:
        SettingsError: it is neither.
    """
    if not isinstance(plain(value), bool):
        raise SettingsError(f"{name} is {shown(value)}; it must be True or False")


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise SettingsError(f"{name} is {shown(value)}; it must be a whole number from {low:,} to {high:,}")


def check_real(name: str, value: object, low: float, high: float) -> None:
    """See to it that a value is a number within its bounds.

    Raises:
        SettingsError: it is not.
    """
    # NaN fails the comparison too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise SettingsError(f"{name} is {shown(value)}; it must be a number from {low:g} to {high:g}")
