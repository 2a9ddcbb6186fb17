"""The state before the first step: the n-gram model, and the loss that it reaches alone.

Nothing here needs Keras, so a usable model exists a moment after the text has been read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.bundle import Bundle
from textgen.experts.kneser_ney import KneserNey
from textgen.network.spec import NetworkSpec
from textgen.tokenizers import Tokens
from textgen.training.checkpoints.progress import Progress
from textgen.training.data.prepared_corpus import PreparedCorpus

_LOOKED_AT = 20_000
_FEWEST_LOOKED_AT = 2_000
_LOOKS = 400_000_000
_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Start:
    """The state before the first step.

    Attributes:
        counted: the n-gram model of the training text and of a base; None if the network uses none.
        weights: weights with which the network's output equals the n-gram model's; empty without one.
        loss: the n-gram model's nats per token on the validation text; infinite without one.
        seconds: time since the training began when the loss was known.
    """

    counted: KneserNey | None = None
    weights: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    loss: float = float("inf")
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


def first_look(corpus: PreparedCorpus, spec: NetworkSpec, base: Bundle | None, started: float) -> Start:
    """Count the training text's n-grams and measure their loss.

    Args:
        corpus: the tokens to train on.
        spec: shape of the network.
        base: a model to continue, whose n-grams count too; None for none.
        started: `time.monotonic` when the training began.
    """
    if not spec.prior:
        return Start()
    counted = KneserNey.count(corpus.training, spec.vocabulary, spec.prior)
    if base is not None and base.counted is not None:
        counted = counted.joined(base.counted)
    weights = {name: np.zeros(shape, np.float32) for name, shape in spec.shapes().items()}
    for name, array in weights.items():
        if name == "prior.bias" or name.endswith("norm"):
            array[:] = 1
    # Each position needs the probability of every token, so a large vocabulary gets fewer positions.
    positions = min(_LOOKED_AT, max(_FEWEST_LOOKED_AT, _LOOKS // spec.vocabulary))
    loss = loss_by(counted, corpus.validation, positions)
    return Start(counted, weights, loss, time.monotonic() - started)


def loss_by(counted: KneserNey, tokens: Tokens, limit: int) -> float:
    """Return the n-gram model's nats per token, on about ``limit`` positions spread evenly over a text."""
    length = counted.before + 1
    if len(tokens) < length:
        return float("inf")
    step = max(1, (len(tokens) - length + 1) // limit)
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(tokens), length)[::step]
    at_once = max(1, _AT_ONCE // counted.vocabulary)
    nats = 0.0
    for first in range(0, len(windows), at_once):
        some = windows[first : first + at_once]
        found = counted.probabilities(some[:, :-1])
        nats -= float(np.log(found[np.arange(len(some)), some[:, -1]].astype(np.float64)).sum())
    return nats / len(windows)
