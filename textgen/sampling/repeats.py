"""Repeats: temperature does not make them more likely than the model does.

A low temperature would make a row of blanks endless: one token continues the row, while the probability of
its end is spread over many tokens, and each of them alone is less likely. So a run of at least
`SHORTEST_RUN` tokens continues with the model's own probability, and temperature applies to the other tokens.

The same happens to whole phrases where tokens are words: what was said is likely to be said again, a low
temperature makes it certain, and each repeat makes the next one likelier still (Xu et al. 2022, "Learning to
Break the Loop"). So at level subword, which fine-tuned bases have, the tokens that followed the last one
before get no more probability together than at a temperature of 1 (`textgen.sampling.controls`). Models of
characters need no such rule: measured, they repeat less than people do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float64, log_sum

SHORTEST_RUN = 4
"""Fewer equal tokens are ordinary text, such as "..."."""


def run_at_end(tokens: npt.NDArray[np.integer]) -> int:
    """Return the number of equal tokens at the end of a text."""
    differing = np.flatnonzero(tokens != tokens[-1])
    return len(tokens) - (int(differing[-1]) + 1 if len(differing) else 0)


def keep_chance(logits: Float64, tokens: Sequence[int], temperature: float, *, at_most: bool = False) -> None:
    """Change logits in place so that temperature does not change the probability of some tokens together.

    Args:
        logits: shape (vocabulary,), -inf for tokens that are ruled out.
        tokens: the token of the run, or those of a repeat, each of them once.
        temperature: the logits will be divided by it; above 0.
        at_most: change nothing if temperature makes the tokens less likely.
    """
    chosen = logits[tokens]
    logits[tokens] = -np.inf
    highest, likeliest = logits.max(), chosen.max()
    if -np.inf in (highest, likeliest):
        logits[tokens] = chosen
        return
    odds = likeliest - highest + log_sum(chosen - likeliest) - log_sum(logits, highest)
    tempered = log_sum(logits, highest, temperature) - log_sum(chosen - likeliest, 0.0, temperature)
    if at_most and (likeliest - highest) / temperature - tempered <= odds:
        logits[tokens] = chosen
        return
    logits -= highest
    # Multiplied by the temperature, since the draw divides by it.
    logits[tokens] = chosen - likeliest + temperature * (odds + tempered)
