"""The state before the first step: the counted models, and the loss that they reach alone.

Nothing here needs Keras, so a usable model exists a moment after the text has been read.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.bundle import Bundle
from textgen.experts.chains.counting import COUNTED_TOKENS
from textgen.experts.expert import Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.long import Long, repeated
from textgen.experts.mixing import even, gates_for, losses_of, stretches
from textgen.experts.words import Words
from textgen.experts.words.contexts import kinds_of
from textgen.network.spec import NetworkSpec
from textgen.tokenizers import Tokens
from textgen.training.checkpoints.progress import Progress
from textgen.training.data.prepared_corpus import PreparedCorpus

_LOOKED_AT = 20_000
_FEWEST_LOOKED_AT = 2_000
_LOOKS = 400_000_000
_FITTED_TO, _FITTED = 10_000, 2_000_000

MIXED = "mixed"
"""The name of all experts together among their losses."""

_SECONDS_A_MILLION = 5.0
"""A training of so many seconds for a million tokens counts more than n-grams, in a third of that time."""

_SHORTEST = 2
_WORTH_IT = 0.995
"""A further expert is used if the mixture with it has at most this share of the loss without it."""

_REPEATS = 0.04
"""Long contexts are counted if this share of the text's runs of 16 tokens came before; plays have 0.03."""

_SHORT = 200_000
"""In a text of so few tokens they are counted in any case: it takes no time."""

_GATES = ("prior.bias", "confidence.gate")


@dataclass(frozen=True, slots=True)
class Start:
    """The state before the first step.

    Attributes:
        experts: the counted models of the training text and of a base; empty if the network uses none.
        weights: with these the network writes what a mixture of the counted models would; empty without any.
        mixture: the gate of each expert in it (`textgen.experts.mixing.gates_for`).
        loss: its nats per token on the validation text; infinite without one.
        losses: the same of each expert alone by its name, and of the mixture as `MIXED`; none for one expert.
        seconds: time since the training began when the loss was known.
    """

    experts: tuple[Expert, ...] = ()
    weights: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    mixture: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    loss: float = float("inf")
    losses: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    def progress(self, rate: float = 1.0) -> Progress:
        """Return the progress of a training before its first step.

        Args:
            rate: factor of the learning rate.
        """
        progress = Progress(rate=rate)
        if self.weights:
            progress.validated(self.loss, self.seconds)
        return progress

    @property
    def gates(self) -> dict[str, npt.NDArray[Any]]:
        """The weights that mix the experts, with which a network begins; none without experts."""
        return {name: self.weights[name] for name in _GATES if name in self.weights}

    @property
    def names(self) -> tuple[str, ...]:
        """The experts beside the n-grams, as in `NetworkSpec.experts`."""
        return tuple(expert.name for expert in self.experts[1:])

    def loss_on(self, tokens: Tokens, limit: int) -> float:
        """Return the mixture's nats per token, on about ``limit`` positions spread evenly over a text."""
        if len(tokens) < _SHORTEST:
            return float("inf")
        before = max(expert.before for expert in self.experts)
        return losses_of(self.experts, self.mixture, stretches(tokens, before, limit), before)[0]


def time_for_experts(tokens: int, limit_s: float | None) -> bool:
    """Return whether a training is long enough to count more than n-grams.

    The time limit alone decides, and not the time that is left: a resumed training must decide the same.

    Args:
        tokens: length of the training text.
        limit_s: time limit of the training in seconds; None for none.
    """
    return limit_s is None or limit_s >= _SECONDS_A_MILLION * min(tokens, COUNTED_TOKENS) / 1_000_000


def first_look(
    corpus: PreparedCorpus, spec: NetworkSpec, base: Bundle | None, started: float
) -> tuple[NetworkSpec, Start]:
    """Count the training text, and measure how well the counts predict the validation text.

    Args:
        corpus: the tokens to train on.
        spec: shape of the network. Of its experts those are used that help.
        base: a model to continue, whose counts count too, and whose experts are kept; None for none.
        started: `time.monotonic` when the training began.

    Returns:
        The shape of the network with the experts that help, and the state before the first step.
    """
    if not spec.prior:
        return spec, Start()
    experts: list[Expert] = [KneserNey.count(corpus.training, spec.vocabulary, spec.prior)]
    names = spec.experts
    if base is None and len(corpus.training) > _SHORT and repeated(corpus.training) < _REPEATS:
        names = tuple(name for name in names if name != Long.name)
    further = [_count(name, corpus, spec.vocabulary) for name in names]
    # Each position needs the probability of every token, so a large vocabulary gets fewer positions.
    positions = min(_LOOKED_AT, max(_FEWEST_LOOKED_AT, _LOOKS // spec.vocabulary))
    if base is not None and base.experts:
        pairs = zip([*experts, *further], base.experts, strict=True)
        start = _mixed([mine.joined(other) for mine, other in pairs], corpus, positions)
    else:
        start = _chosen(experts[0], further, corpus, positions)
    used = dataclasses.replace(spec, experts=start.names)
    weights = {name: np.zeros(shape, np.float32) for name, shape in used.shapes().items()}
    for name, array in weights.items():
        if name == "prior.bias":
            array[:] = start.mixture[:, 0]
        elif name == "confidence.gate":
            array[:] = start.mixture[:, 1:].T
        elif name.endswith("norm"):
            array[:] = 1
    return used, dataclasses.replace(start, weights=weights, seconds=time.monotonic() - started)


def _count(name: str, corpus: PreparedCorpus, vocabulary: int) -> Expert:
    """Return an expert beside the n-grams, counted on the training text."""
    if name == Long.name:
        return Long.count(corpus.training, vocabulary)
    kinds = kinds_of([corpus.tokenizer.name_of(token) for token in range(vocabulary)])
    return Words.count(corpus.training, vocabulary, kinds)


def _chosen(first: Expert, further: Sequence[Expert], corpus: PreparedCorpus, positions: int) -> Start:
    """Return the first expert, mixed with those of the others that help, one after the other."""
    start = _mixed([first], corpus, positions)
    tried = start
    losses: dict[str, float] = {}
    for expert in further:
        tried = _mixed([*start.experts, expert], corpus, positions)
        losses |= tried.losses
        # Without a validation text all losses are infinite, and every expert is used.
        if tried.loss <= _WORTH_IT * start.loss:
            start = tried
    if losses:
        losses[MIXED] = start.losses.get(MIXED, tried.loss)
    return dataclasses.replace(start, losses=losses)


def _mixed(experts: Sequence[Expert], corpus: PreparedCorpus, positions: int) -> Start:
    """Return experts with the gates that suit them, and their losses on the validation text."""
    before = max(expert.before for expert in experts)
    mixture = even(experts)
    if len(experts) > 1:
        fitted_to = stretches(corpus.training, before, min(_FITTED_TO, _FITTED // experts[0].vocabulary))
        mixture = gates_for(experts, fitted_to, before)
    if len(corpus.validation) < _SHORTEST:
        return Start(tuple(experts), mixture=mixture)
    read = stretches(corpus.validation, before, positions)
    loss, alone = losses_of(experts, mixture, read, before)
    names = [expert.name for expert in experts]
    losses = {**dict(zip(names, alone, strict=True)), MIXED: loss} if len(experts) > 1 else {}
    return Start(tuple(experts), mixture=mixture, loss=loss, losses=losses)
