"""Which of several models most likely wrote a text, or none of them.

A model that was trained well predicts every text better, so likelihoods alone favour it. Each model is
therefore calibrated with its own held-out text: what counts is how much worse it predicts this text than a
text of its own author that it never saw. That excess is near zero for its author and high for all others.
"""

from __future__ import annotations

from collections.abc import Sequence

from textgen.evaluation.authorship.reading import Likelihood, Reading
from textgen.model import TextModel


def who(text: str, models: Sequence[TextModel]) -> list[Likelihood]:
    """Rank models by how likely they wrote a text, the likeliest first.

    If the first one is ``unlike``, the answer is "none of them".

    Args:
        text: at least `reading.SHORTEST_TEXT` characters.
        models: one or more, each with a held-out loss.

    Raises:
        SettingsError: the text is too short, or a model has no held-out loss.
    """
    found = [_likelihood(number, text, model) for number, model in enumerate(models)]
    return sorted(found, key=lambda each: (each.excess_per_word, each.model))


def _likelihood(number: int, text: str, model: TextModel) -> Likelihood:
    reading = Reading(text, model)
    while not reading.over:
        reading.advance()
    return reading.likelihood(number)
