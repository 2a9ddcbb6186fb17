"""Runs of one token: temperature does not change the probability that a run continues.

A low temperature would make a row of blanks endless: one token continues the row, while the probability of
its end is spread over many tokens, and each of them alone is less likely. So a run of at least
`SHORTEST_RUN` tokens continues with the model's own probability, and temperature applies to the other tokens.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float64

SHORTEST_RUN = 4
"""Fewer equal tokens are ordinary text, such as "..."."""


def run_at_end(tokens: npt.NDArray[np.integer]) -> int:
    """Return the number of equal tokens at the end of a text."""
    differing = np.flatnonzero(tokens != tokens[-1])
    return len(tokens) - (int(differing[-1]) + 1 if len(differing) else 0)


def keep_chance(logits: Float64, token: int, temperature: float) -> None:
    """Change logits in place so that temperature does not change the probability of one token.

    Args:
        logits: shape (vocabulary,), -inf for tokens that are ruled out.
        token: the token of the run.
        temperature: the logits will be divided by it; above 0.
    """
    rest = logits.copy()
    rest[token] = -np.inf
    highest = rest.max()
    if highest == -np.inf or logits[token] == -np.inf:
        return
    rest -= highest
    odds = logits[token] - highest - np.log(np.exp(rest).sum())
    logits[:] = rest
    # Multiplied by the temperature, since the draw divides by it.
    logits[token] = temperature * (odds + np.log(np.exp(rest / temperature).sum()))
