"""The model before the first step: the base as it is, mixed with the corpus' n-grams.

Nothing here needs Keras: the base is read as it is served.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from textgen.bundle import Bundle
from textgen.bundle.stepping import adapter_of
from textgen.bundle.tuned import rounded
from textgen.experts.counting import spread
from textgen.experts.kneser_ney import KneserNey
from textgen.inference import Stepper, log_softmax
from textgen.pretrained import llama
from textgen.pretrained.base import Base
from textgen.pretrained.tuned.spec import MIXTURE, TunedSpec
from textgen.training.data.prepared_corpus import PreparedCorpus
from textgen.training.start import Start
from textgen.training.tuning.held_out import LOOKED_AT, fit, windows_of

COUNTED_TOKENS = 1_000_000
"""Most tokens that are counted: with more, the bundle would have more than 15 MB."""

HIGHEST_ORDER = 4

_AT_ONCE = 64
"""Positions whose logits are computed at a time: each has one for every token of the base."""


def first_look(
    corpus: PreparedCorpus, base: Base, rank: int, random_seed: int, before: Bundle | None, started: float
) -> tuple[TunedSpec, Start]:
    """Count the corpus, and mix the counts with the base.

    Args:
        corpus: the tokens to train on.
        base: the base.
        rank: of the adapter.
        random_seed: decides the adapter's first values, which change nothing yet.
        before: a fine-tuned model that is continued, whose n-grams count too; None for none.
        started: `time.monotonic` when the training began.

    Returns:
        The shape of what the training adds, and the state before the first step.
    """
    counted = KneserNey.count(spread(corpus.training, COUNTED_TOKENS), base.spec.vocabulary, HIGHEST_ORDER)
    if before is not None and before.counted is not None:
        counted = counted.joined(before.counted)
    spec = TunedSpec(base.about.name, base.sha256, base.spec, rank, counted.order)
    weights = dict(before.weights) if before is not None else initial(spec, random_seed)
    held_out = windows_of(corpus.validation, LOOKED_AT, counted.before, base.tokenizer.start)
    stepper = llama.make_stepper(base, adapter_of(weights) if before is not None else None)
    mixture, loss = fit(_losses(stepper, held_out.inputs, held_out.targets), held_out, counted)
    weights = rounded({**weights, MIXTURE: mixture})
    return spec, Start((counted,), weights, loss=loss, seconds=time.monotonic() - started)


def initial(spec: TunedSpec, random_seed: int) -> dict[str, npt.NDArray[np.float32]]:
    """Return an adapter that changes nothing yet: the second matrix of each pair is zero."""
    random = np.random.default_rng(random_seed)
    return {
        name: (random.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)
        if name.endswith(".down")
        else np.zeros(shape, np.float32)
        for name, shape in spec.shapes().items()
    }


def _losses(
    stepper: Stepper, inputs: npt.NDArray[np.int32], targets: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """Return a stepper's nats at each position, shape (windows, time)."""
    losses = np.empty(inputs.shape)
    for row, (tokens, wanted) in enumerate(zip(inputs.astype(np.intp), targets, strict=True)):
        state = stepper.initial_state(1)
        for first in range(0, len(tokens), _AT_ONCE):
            some = wanted[first : first + _AT_ONCE]
            features = stepper.features(tokens[None, first : first + _AT_ONCE], state)[0]
            found = log_softmax(stepper.logits(features))
            losses[row, first : first + _AT_ONCE] = -found[np.arange(len(some)), some]
    return losses
