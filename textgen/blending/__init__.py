"""Two models as one: their probabilities multiplied, each to a power, and normalised (a log-linear mixture).

Of the power, the second model has the share ``mix`` and the first one the rest. So a character comes if both
models find it likely; a mean of the probabilities would switch between the two instead. Character models have
an alphabet each: `textgen.blending.alphabet` says what a model expects of a character that it does not know.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textgen.argument_checks import check_number
from textgen.blending.alphabet import Shared, shared_by
from textgen.blending.stepper import BlendedStepper
from textgen.errors import DIFFERENT_TOKENS, SettingsError
from textgen.model import TextModel

DEFAULT_MIX = 0.5


def blend(first: TextModel, second: TextModel, mix: float = DEFAULT_MIX) -> TextModel:
    """Return a model that writes like two models at once.

    Args:
        first: a model.
        second: another of the level char; at other levels, one with the same tokens.
        mix: share of the second model, 0 to 1. 0 is the first model itself and 1 the second, to the bit.
            At 0.5, it makes no difference which of the two is the first.

    Raises:
        SettingsError: the mix lies outside its bounds, or the models' tokens do not fit each other.
    """
    check_number("mix", mix, 0.0, 1.0)
    shared = shared_by(first.tokenizer, second.tokenizer)
    if shared is None:
        raise SettingsError(DIFFERENT_TOKENS, first=first.manifest.level, second=second.manifest.level)
    if mix in (0, 1):
        return second if mix else first
    return BlendedModel(first, second, mix, shared)


class BlendedModel(TextModel):
    """The model that `blend` returns. Its line starts are those of both; it has no bundle of its own."""

    def __init__(self, first: TextModel, second: TextModel, mix: float, shared: Shared) -> None:
        """Prepare the network of both."""
        self.parts, self.mix = (first, second), mix
        # Of a blend of blends nothing is told: a receipt names two models.
        self.fingerprint = "" if first.parts or second.parts else first.fingerprint
        manifests = first.manifest, second.manifest
        least_trained = min(manifests, key=lambda manifest: manifest.fraction)
        # In an order that does not depend on which model is the first.
        seeds = sorted({seed for manifest in manifests for seed in manifest.seeds})
        self.manifest = replace(
            first.manifest,
            parameters=sum(manifest.parameters for manifest in manifests),
            vocabulary=shared.tokenizer.size,
            seeds=seeds,
            fraction=least_trained.fraction,
            stopped=least_trained.stopped,
            items=all(manifest.items for manifest in manifests),
            sampling=max(manifest.sampling for manifest in manifests),
        )
        # Their users read the size of the vocabulary, to divide memory by it.
        self.spec = max((first.spec, second.spec), key=lambda spec: spec.vocabulary)
        self.tokenizer = shared.tokenizer
        known = [part._known for part in (first, second) if part._known is not None]
        self._known = known[0].joined(known[1]) if len(known) > 1 else None
        self.stepper = BlendedStepper((first.stepper, second.stepper), shared, mix)

    @property
    def memory(self) -> int:
        """Approximate bytes of memory of both models."""
        own = self._known.keys.nbytes if self._known is not None else 0
        return own + sum(part.memory for part in self.parts)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy both models."""
        return blend, (*self.parts, self.mix)
