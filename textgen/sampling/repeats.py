"""Runs of one token: whether they go on is decided without temperature.

Of a row of blanks, a low temperature makes an endless one: that the row goes on is one token, while what
else may come is spread over many, each of which alone is less likely, and so loses. Where a run is long
enough to be one, it goes on with the probability that the model gives it; temperature chooses among the rest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float64

SHORTEST_RUN = 4
"""Fewer tokens that are alike are ordinary text ("...")."""


def run_at_end(tokens: npt.NDArray[np.integer]) -> int:
    """Return how many equal tokens a text ends with."""
    differing = np.flatnonzero(tokens != tokens[-1])
    return len(tokens) - (int(differing[-1]) + 1 if len(differing) else 0)


def keep_chance(logits: Float64, token: int, temperature: float) -> None:
    """Change logits in place so that temperature leaves a token's probability as it is.

    Args:
        logits: shape (vocabulary,), -inf for what cannot come.
        token: the one that the run consists of.
        temperature: what the logits will be divided by, above 0.
    """
    rest = logits.copy()
    rest[token] = -np.inf
    highest = rest.max()
    if highest == -np.inf or logits[token] == -np.inf:
        return
    rest -= highest
    odds = logits[token] - highest - np.log(np.exp(rest).sum())
    logits[:] = rest
    # As the division will undo.
    logits[token] = temperature * (odds + np.log(np.exp(rest / temperature).sum()))
