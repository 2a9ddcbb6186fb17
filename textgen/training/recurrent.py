"""The plan of a training from nothing: a network in Keras, contiguous strips, the loss as it is served."""

from __future__ import annotations

from dataclasses import dataclass

from textgen.bundle import Weights
from textgen.model import TextModel
from textgen.training import backend, network
from textgen.training import plan as plans
from textgen.training.calibration import calibrated_loss
from textgen.training.data.strips import Strips, fit_to_corpus
from textgen.training.fine_tuning import grown
from textgen.training.loop.optimizing import compile_model
from textgen.training.result import FINAL_TOKENS, Result

_WORK = 10_000_000_000


def plan(result: Result, base: Weights | None) -> plans.Plan:
    """Fit the batches to the corpus, and build the network.

    Args:
        result: holds corpus and settings, and makes the models that are measured.
        base: initial weights, from a model that is continued; None for random ones.
    """
    corpus, settings = result.corpus, result.settings
    batch, length = fit_to_corpus(len(corpus.training), settings.batch_size, settings.seq_length)
    notes = []
    if (batch, length) != (settings.batch_size, settings.seq_length):
        notes.append(f"the corpus is short: trained as {batch} strips of windows of {length} tokens")
    strips = Strips(corpus.training, batch, length, min(settings.seq_step, length))
    spec = settings.network(corpus.tokenizer.size)
    made = network.build(
        spec,
        batch,
        length,
        settings.random_seed,
        result.start.experts,
        backend.products(),
        settings.fresh_starts,
    )
    # The gates begin with those of the counts alone.
    first = made.weights() | result.start.gates
    made.set_weights(first if base is None else grown(first, base))
    steps = strips.batches * settings.num_epochs
    compile_model(made.model, settings, parameters=spec.parameters, steps=steps)
    # A validation takes about as long for every size of network.
    tokens = max(2_000, min(50_000, _WORK // spec.parameters))
    return plans.Plan(made, strips, ServedJudge(result, tokens), notes)


@dataclass(frozen=True, slots=True)
class ServedJudge:
    """Measures the loss by the model as it will be served, and fits its last layer to the validation text.

    Attributes:
        result: makes models of weights.
        tokens: number of tokens that a validation reads.
        final_tokens: number of tokens that the last validation reads.
    """

    result: Result
    tokens: int
    final_tokens: int = FINAL_TOKENS

    def loss(self, weights: plans.Weights, limit: int) -> float:
        """Return nats per token on the validation text; see `Judge.loss`."""
        model = TextModel(self.result.as_bundle(weights, self.result.start.progress()))
        return calibrated_loss(model, weights, self.result.corpus.validation, limit)
