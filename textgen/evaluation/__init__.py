"""How well a model predicts a text: one figure, with the name of its protocol.

There are three protocols, and their figures must not be compared with each other. A *stateful pass* reads the
text once from beginning to end; every token is predicted from all tokens before it. *Windows* is nanoGPT's
protocol: the mean over random windows. Each window starts without context, so its first tokens are
predicted from few tokens. *Overlapping windows* are for networks that see a limited number of tokens: every
token of the text is predicted once, from at least half a window, except at the very beginning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from textgen.corpus import normal_form
from textgen.errors import SettingsError
from textgen.inference import log_softmax
from textgen.model import TextModel
from textgen.tokenizers import Tokenizer, Tokens

_WINDOWS_AT_ONCE = 64
_OVERLAPPING = 512
_SHORTEST_STRIP = 256
_LOGITS_AT_ONCE = 500_000


Strips = np.ndarray[tuple[int, int], np.dtype[np.intp]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of a model on a text.

    Attributes:
        protocol: "stateful pass", the same with counts that adapt every N tokens, "windows of N tokens" or
            "windows, half overlap" (of 512 tokens).
        characters: length of the predicted text.
        tokens: number of predicted tokens.
        nats_per_character: mean negative natural-log probability, over characters.
        nats_per_token: the same mean over tokens.
        standard_error: of nats_per_token, assuming independent windows; None for a stateful pass.
        unseen: share of the tokens that are not in the vocabulary, 0 to 1.
    """

    protocol: str
    characters: int
    tokens: int
    nats_per_character: float
    nats_per_token: float
    standard_error: float | None
    unseen: float

    @property
    def bits_per_character(self) -> float:
        """Nats per character divided by ln 2."""
        return self.nats_per_character / math.log(2)

    @property
    def perplexity_per_token(self) -> float:
        """The exponential of nats per token."""
        return math.exp(min(self.nats_per_token, 700.0))


def as_read(tokenizer: Tokenizer, text: str, least: int = 2) -> tuple[str, Tokens]:
    """Return a text as a model reads it, and its tokens, shape (tokens,).

    Raises:
        SettingsError: it has fewer than ``least`` tokens.
    """
    text = tokenizer.normalize(normal_form(text))
    tokens = tokenizer.encode(text)
    _require(len(tokens), least)
    return text, tokens


def stateful_pass(model: TextModel, text: str) -> Evaluation:
    """Predict each token of a text from all tokens before it.

    Raises:
        SettingsError: the text has fewer than two tokens.
    """
    text, tokens = as_read(model.tokenizer, text)
    nats = -float(model.log_probabilities_of(tokens).sum())
    return of_whole_text("stateful pass", model, text, tokens, nats)


def overlapping_windows(model: TextModel, text: str) -> Evaluation:
    """Predict each token of a text once, in windows of 512 tokens that overlap by half.

    Raises:
        SettingsError: the text has fewer than two tokens.
    """
    text, tokens = as_read(model.tokenizer, text)
    predicted = len(tokens) - 1
    window = min(_OVERLAPPING, predicted)
    nats, done, start = 0.0, 0, 0
    while done < predicted:
        found = model.log_probabilities_of(tokens[start : start + window + 1])
        nats -= float(found[done - start :].sum())
        done = start + len(found)
        start = min(start + window // 2, predicted - window)
    return of_whole_text("windows, half overlap", model, text, tokens, nats)


def of_whole_text(protocol: str, model: TextModel, text: str, tokens: Tokens, nats: float) -> Evaluation:
    """Return the evaluation of a text whose tokens were all predicted but the first.

    Args:
        protocol: its name.
        model: the model.
        text: the normalized text.
        tokens: its tokens, shape (tokens,).
        nats: sum over all predictions.
    """
    predicted = len(tokens) - 1
    characters = len(text) - len(model.tokenizer.decode(tokens[:1]))
    return Evaluation(
        protocol=protocol,
        characters=characters,
        tokens=predicted,
        nats_per_character=nats / max(1, characters),
        nats_per_token=nats / predicted,
        standard_error=None,
        unseen=float((tokens == 0).mean()),
    )


def mean_loss(model: TextModel, tokens: Tokens, *, limit: int, rows: int = 32) -> float:
    """Return nats per token, fast: strips that are spread evenly over the text are read in one batch.

    The loss is a little higher than that of a stateful pass, because each strip starts without context.

    Args:
        model: the model to evaluate.
        tokens: the text, shape (tokens,).
        limit: maximum number of tokens to read.
        rows: number of strips.

    Raises:
        SettingsError: the text has fewer than two tokens.
    """
    return float(_window_means(model, strips_of(tokens, limit, rows)).mean())


def strips_of(tokens: Tokens, limit: int, rows: int = 32) -> Strips:
    """Return strips that are spread evenly over a text, shape (strips, time + 1); see `mean_loss`."""
    _require(len(tokens), 2)
    rows = max(1, min(rows, len(tokens) // _SHORTEST_STRIP))
    apart = (len(tokens) - 1) // rows
    length = max(1, min(apart, limit // rows))
    starts = np.arange(rows)[:, None] * apart
    strips: Strips = np.asarray(tokens)[starts + np.arange(length + 1)].astype(np.intp)
    return strips


def random_windows(
    model: TextModel, text: str, *, window: int = 256, windows: int = 512, random_seed: int = 1
) -> Evaluation:
    """Predict the tokens of random windows; each window starts without context.

    Args:
        model: the model to evaluate.
        text: the text that the windows are cut from.
        window: number of predicted tokens in each window.
        windows: number of windows.
        random_seed: decides the positions of the windows.

    Raises:
        SettingsError: the text is shorter than a window, or a number is not positive.
    """
    if window < 1 or windows < 1:
        raise SettingsError(f"window is {window} and windows {windows}; both must be at least 1")
    text, encoded = as_read(model.tokenizer, text, least=window + 1)
    tokens = encoded.astype(np.intp)
    starts = np.random.default_rng(random_seed).integers(0, len(tokens) - window, windows)
    means = np.concatenate(
        [
            _window_means(
                model, tokens[starts[first : first + _WINDOWS_AT_ONCE, None] + np.arange(window + 1)]
            )
            for first in range(0, windows, _WINDOWS_AT_ONCE)
        ]
    )
    a_token = len(text) / len(tokens)
    return Evaluation(
        protocol=f"windows of {window} tokens",
        characters=round(windows * window * a_token),
        tokens=windows * window,
        nats_per_character=float(means.mean()) / a_token,
        nats_per_token=float(means.mean()),
        standard_error=float(means.std() / math.sqrt(windows)),
        unseen=float((tokens == 0).mean()),
    )


def _window_means(model: TextModel, tokens: Strips) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the mean loss of each window, shape (windows,); tokens have shape (windows, window + 1)."""
    state = model.stepper.initial_state(len(tokens))
    targets, total = tokens[:, 1:], np.zeros(len(tokens))
    # Reading many positions at once is faster, but the logits of all of them must fit in memory.
    at_once = max(1, _LOGITS_AT_ONCE // (len(tokens) * model.spec.vocabulary))
    for first in range(0, targets.shape[1], at_once):
        wanted = targets[:, first : first + at_once, None]
        features = model.stepper.features(tokens[:, first : first + wanted.shape[1]], state)
        found = np.take_along_axis(log_softmax(model.stepper.logits(features)), wanted, axis=2)
        total -= found.sum(axis=(1, 2))
    mean: np.ndarray[tuple[int], np.dtype[np.float64]] = total / targets.shape[1]
    return mean


def _require(tokens: int, least: int) -> None:
    if tokens < least:
        raise SettingsError(f"the text has {tokens} tokens; at least {least} are needed")
