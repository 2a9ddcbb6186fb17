"""Which of several models most likely wrote a text, or none of them.

A model that was trained well predicts every text better, so likelihoods alone favour it. Each model is
therefore calibrated with its own held-out text: what counts is how much worse it predicts this text than a
text of its own author that it never saw. That excess is near zero for its author and high for all others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from textgen.corpus import normal_form
from textgen.errors import SettingsError
from textgen.model import TextModel

SHORTEST_TEXT = 20
"""Characters. In a shorter text even its author's model is right by chance alone."""

_BEFORE = "\n"
# An excess above this share of the held-out loss, beyond chance, belongs to none of the models' authors.
_NONE_SHARE = 0.3
_NONE_ERRORS = 2.0


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How well one model predicts a text.

    Attributes:
        model: its place in the list of models that was given.
        nats_per_word: mean negative natural-log probability, over words.
        expected_per_word: the same as its held-out text has on average, for words of this length.
        excess_per_word: the difference; the models are ranked by it.
        excess: the difference, over tokens.
        error: standard error of ``excess`` that the length of the text leaves.
        unlike: the excess is too high for a text of its author.
    """

    model: int
    nats_per_word: float
    expected_per_word: float
    excess_per_word: float
    excess: float
    error: float
    unlike: bool


def who(text: str, models: Sequence[TextModel]) -> list[Likelihood]:
    """Rank models by how likely they wrote a text, the likeliest first.

    If the first one is ``unlike``, the answer is "none of them".

    Args:
        text: at least `SHORTEST_TEXT` characters.
        models: one or more, each with a held-out loss.

    Raises:
        SettingsError: the text is too short, or a model has no held-out loss.
    """
    clean = normal_form(text).strip()
    if len(clean) < SHORTEST_TEXT:
        raise SettingsError(
            f"the text has {len(clean)} characters; at least {SHORTEST_TEXT} are needed to tell who wrote it"
        )
    found = [_likelihood(number, clean, model) for number, model in enumerate(models)]
    return sorted(found, key=lambda each: (each.excess_per_word, each.model))


def _likelihood(number: int, text: str, model: TextModel) -> Likelihood:
    loss = model.manifest.validation_loss
    if loss <= 0:
        raise SettingsError("a model has no loss on held-out text, so its likelihoods mean nothing here")
    # A text begins where a line does, so its first token has a probability, too.
    tokens = model.tokenizer.encode(model.tokenizer.normalize(_BEFORE + text))
    nats = -model.log_probabilities_of(tokens)
    if not len(nats):
        raise SettingsError("the text has no token that a model could predict")
    words = max(1, len(text.split()))
    excess = float(nats.mean()) - loss
    error = float(nats.std()) / math.sqrt(len(nats))
    return Likelihood(
        model=number,
        nats_per_word=float(nats.sum()) / words,
        expected_per_word=loss * len(nats) / words,
        excess_per_word=excess * len(nats) / words,
        excess=excess,
        error=error,
        unlike=excess - _NONE_ERRORS * error > _NONE_SHARE * loss,
    )
