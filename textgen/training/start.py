"""The state before the first step: the counted models, and the loss that they reach alone.

Nothing here needs Keras, so a usable model exists a moment after the text has been read.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.bundle import Bundle
from textgen.experts.chains.counting import COUNTED_TOKENS
from textgen.experts.expert import Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.mixing import losses_of, stretches, weights_for
from textgen.experts.words import Words
from textgen.experts.words.contexts import kinds_of
from textgen.network.spec import NetworkSpec
from textgen.tokenizers import Tokens
from textgen.training.checkpoints.progress import Progress
from textgen.training.data.prepared_corpus import PreparedCorpus

_LOOKED_AT = 20_000
_FEWEST_LOOKED_AT = 2_000
_LOOKS = 400_000_000
_FITTED_TO, _FITTED = 4_000, 5_000_000

MIXED = "mixed"
"""The name of all experts together among their losses."""

_SECONDS_A_MILLION = 5.0
"""A training of so many seconds for a million tokens counts words too, which takes a third of that time."""

_SHORTEST = 2
_WORTH_IT = 0.99
"""A further expert is used if the mixture with it has at most this share of the loss without it."""


@dataclass(frozen=True, slots=True)
class Start:
    """The state before the first step.

    Attributes:
        experts: the counted models of the training text and of a base; empty if the network uses none.
        weights: with these the network writes what a mixture of the counted models would; empty without any.
        mixture: the weight of each expert in it.
        loss: its nats per token on the validation text; infinite without one.
        losses: the same of each expert alone by its name, and of the mixture as `MIXED`; none for one expert.
        seconds: time since the training began when the loss was known.
    """

    experts: tuple[Expert, ...] = ()
    weights: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    mixture: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
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
    def counted(self) -> KneserNey | None:
        """The n-grams among the experts; None if there are none."""
        return next((expert for expert in self.experts if isinstance(expert, KneserNey)), None)

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


def first_look(corpus: PreparedCorpus, spec: NetworkSpec, base: Bundle | None, started: float) -> Start:
    """Count the training text, and measure how well the counts predict the validation text.

    Args:
        corpus: the tokens to train on.
        spec: shape of the network. Of its experts those are used that help.
        base: a model to continue, whose counts count too, and whose experts are kept; None for none.
        started: `time.monotonic` when the training began.
    """
    if not spec.prior:
        return Start()
    tokens = corpus.training
    experts: list[Expert] = [KneserNey.count(tokens, spec.vocabulary, spec.prior)]
    if Words.name in spec.experts:
        kinds = kinds_of([corpus.tokenizer.name_of(token) for token in range(spec.vocabulary)])
        experts.append(Words.count(tokens, spec.vocabulary, kinds))
    if base is not None and base.experts:
        experts = [mine.joined(other) for mine, other in zip(experts, base.experts, strict=True)]
    # Each position needs the probability of every token, so a large vocabulary gets fewer positions.
    positions = min(_LOOKED_AT, max(_FEWEST_LOOKED_AT, _LOOKS // spec.vocabulary))
    start = _mixed(tuple(experts), corpus, positions)
    alone = start.losses.get(KneserNey.name, start.loss)
    if base is None and start.loss > _WORTH_IT * alone:
        start = dataclasses.replace(
            start, experts=start.experts[:1], mixture=np.ones(1, np.float32), loss=alone
        )
    used = dataclasses.replace(spec, experts=start.names)
    weights = {name: np.zeros(shape, np.float32) for name, shape in used.shapes().items()}
    for name, array in weights.items():
        if name == "prior.bias":
            array[:] = start.mixture
        elif name.endswith("norm"):
            array[:] = 1
    return dataclasses.replace(start, weights=weights, seconds=time.monotonic() - started)


def _mixed(experts: tuple[Expert, ...], corpus: PreparedCorpus, positions: int) -> Start:
    """Return experts with the constant weights that suit them, and their losses on the validation text."""
    before = max(expert.before for expert in experts)
    mixture = np.ones(1, np.float32)
    if len(experts) > 1:
        fitted_to = stretches(corpus.training, before, min(_FITTED_TO, _FITTED // experts[0].vocabulary))
        mixture = weights_for(experts, fitted_to, before)
    if len(corpus.validation) < _SHORTEST:
        return Start(experts, mixture=mixture)
    read = stretches(corpus.validation, before, positions)
    loss, alone = losses_of(experts, mixture, read, before)
    names = [expert.name for expert in experts]
    losses = {**dict(zip(names, alone, strict=True)), MIXED: loss} if len(experts) > 1 else {}
    return Start(experts, mixture=mixture, loss=loss, losses=losses)
