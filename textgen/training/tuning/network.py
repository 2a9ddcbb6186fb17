"""A base and its adapter as a compiled Keras model, and its plan of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from textgen.bundle.tuned import rounded
from textgen.experts.kneser_ney import KneserNey
from textgen.pretrained.base import Base
from textgen.pretrained.llama.keras_layer import AdaptedLlama
from textgen.pretrained.tuned.spec import MIXTURE
from textgen.settings.training import TrainingSettings
from textgen.tokenizers import Tokens
from textgen.training import backend
from textgen.training.loop.optimizing import optimizer_of
from textgen.training.plan import Batch, Integers, Plan, Weights
from textgen.training.result import Result
from textgen.training.tuning.held_out import FINAL, LOOKED_AT, begun, fit, windows_of
from textgen.training.tuning.windows import ShuffledWindows, fit_to_corpus


def plan(result: Result, base: Base) -> Plan:
    """Build the network, and cut the corpus into windows.

    Args:
        result: holds corpus, settings, and the state before the first step.
        base: the base.
    """
    corpus, settings, start = result.corpus, result.settings, result.start
    (counted,) = start.experts
    assert isinstance(counted, KneserNey)  # noqa: S101 -- a fine-tuning counts n-grams alone
    batch, length = fit_to_corpus(len(corpus.training), settings.batch_size, settings.seq_length)
    notes = []
    if (batch, length) != (settings.batch_size, settings.seq_length):
        notes.append(f"the corpus is short: trained in batches of {batch} windows of {length} tokens")
    network = TunedNetwork(base, start.weights, settings, batch, length)
    windows = ShuffledWindows(corpus.training, batch, length, settings.random_seed)
    return Plan(network, windows, TunedJudge(network, corpus.validation, counted), notes)


class TunedNetwork:
    """A base with an adapter, compiled.

    Args:
        base: the base.
        weights: the adapter's first values, and the mixture's.
        settings: of the fine-tuning.
        batch: windows of a batch.
        length: tokens of a window.

    Attributes:
        layer: the base and the adapter.
        mixture: the mixture that suits the adapter.
    """

    before = 0

    def __init__(
        self, base: Base, weights: Weights, settings: TrainingSettings, batch: int, length: int
    ) -> None:
        """Build and compile the model."""
        keras.utils.set_random_seed(settings.random_seed)
        self.start = base.tokenizer.start
        self.mixture = weights[MIXTURE]
        # The models that measure a window, by its length.
        self._measuring: dict[int, keras.Model] = {}
        self.layer = AdaptedLlama(base.spec, base.float_weights, weights)
        self.model = self._model(batch, length)
        self.model.compile(
            optimizer=optimizer_of(settings),
            loss=_as_it_is,
            jit_compile=backend.jit_compile(worth_it=False),
        )
        # Variables that the first step created would have it traced twice.
        self.model.optimizer.build(self.model.trainable_variables)

    def _model(self, batch: int, length: int) -> keras.Model:
        inputs = [keras.Input(batch_shape=(batch, length), dtype="int32") for _ in range(2)]
        return keras.Model(inputs, self.layer(inputs))

    def arrange(self, windows: Integers, random: np.random.Generator) -> Batch:  # noqa: ARG002 -- draws nothing
        """Return the inputs of a step; they hold the targets too. See `textgen.training.plan.Trainee`."""
        tokens, targets = windows[:, :-1], windows[:, 1:]
        if self.start is not None:
            tokens = begun(tokens, self.start)
        return [tokens, targets], np.zeros(targets.shape, np.float32)

    def weights(self) -> Weights:
        """Return copies of the adapter, rounded as a bundle holds it, and the mixture."""
        return rounded({**self.layer.adapters(), MIXTURE: self.mixture})

    def reset_state(self) -> None:
        """Do nothing: every window begins anew."""

    def checkpointed(self) -> list[keras.Variable]:
        """Return the adapter and the optimizer's state; the base never changes."""
        return [*self.model.trainable_variables, *self.model.optimizer.variables]

    def losses(self, inputs: Integers, targets: Integers) -> npt.NDArray[np.float32]:
        """Return the nats of each position, shape (windows, time).

        Args:
            inputs: tokens, shape (windows, time).
            targets: the token after each, same shape.
        """
        length = inputs.shape[1]
        if length not in self._measuring:
            self._measuring[length] = self._model(1, length)
        model = self._measuring[length]
        rows = [
            np.asarray(model.predict_on_batch([tokens[None], wanted[None]]))
            for tokens, wanted in zip(inputs, targets, strict=True)
        ]
        return np.concatenate(rows)


@dataclass(frozen=True, slots=True)
class TunedJudge:
    """Measures a fine-tuned base: it fits the mixture to windows of the validation text.

    Attributes:
        network: computes the losses.
        validation: the text's tokens.
        counted: the n-grams.
        tokens: number of tokens that a validation reads.
        final_tokens: number of tokens that the last validation reads.
    """

    network: TunedNetwork
    validation: Tokens
    counted: KneserNey
    tokens: int = LOOKED_AT
    final_tokens: int = FINAL

    def loss(self, weights: Weights, limit: int) -> float:
        """Return nats per token of the mixture, which is fitted; see `textgen.training.plan.Judge`."""
        layer = self.network.layer
        now = layer.adapters()
        layer.set_adapters(weights)
        held_out = windows_of(self.validation, limit, self.counted.before, self.network.start)
        mixture, loss = fit(self.network.losses(held_out.inputs, held_out.targets), held_out, self.counted)
        layer.set_adapters(now)
        weights.update(rounded({MIXTURE: mixture}))
        self.network.mixture = weights[MIXTURE]
        return loss


def _as_it_is(targets: Any, losses: Any) -> Any:  # noqa: ARG001 -- Keras passes both
    """Return the losses that the model computed."""
    return losses
