"""A stateful pass in which the counts learn the text as it is read; the network's weights stay as they are.

It says what a memory of the text so far could bring. A token is predicted from counts of the corpus and of
tokens before it alone. Texts are still written without: `benchmarks/README.md` says why.
"""

from __future__ import annotations

from textgen.bundle import Bundle
from textgen.evaluation import Evaluation, as_read, of_whole_text
from textgen.model import TextModel

_LEARNT_AT_ONCE = 256
_MOST_TIMES = 128
"""How often a text is learnt: joining the counts takes about a second for a corpus of a megabyte."""


def adaptive_pass(bundle: Bundle, text: str) -> Evaluation:
    """Predict each token of a text from all tokens before it, with counts that learn the text piece by piece.

    Args:
        bundle: a network that mixes counts.
        text: the text.

    Raises:
        SettingsError: the text has fewer than two tokens, or the model has no counts.
    """
    text, tokens = as_read(bundle.tokenizer, text)
    bundle.having_read(tokens[:1])  # whether it can is said before anything is computed
    model = learnt = TextModel(bundle)
    every = max(_LEARNT_AT_ONCE, -(-len(tokens) // _MOST_TIMES))
    state, nats = model.stepper.initial_state(1), 0.0
    for start in range(0, len(tokens) - 1, every):
        if start:
            learnt = TextModel(bundle.having_read(tokens[: start + 1]))
        nats -= float(learnt.log_probabilities_of(tokens[start : start + every + 1], state).sum())
    name = f"stateful pass, counts adapt every {every} tokens"
    return of_whole_text(name, model, text, tokens, nats)
