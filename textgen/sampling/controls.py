"""The logits processors: they limit the choice of the next token, and apply in this order.

1. `UNKNOWN` is ruled out (its logit becomes -inf). So are tokens that do not spell the end of the prompt, as
   long as that has no tokens yet (`textgen.sampling.prompt_end`).
2. Repetition penalty: the tokens of a window before this one become less likely.
3. No-repeat n-gram: tokens that would complete an n-gram for the second time are ruled out.
4. Top-k, then top-p, then min-p: only likely tokens are left. Then typical-p: only tokens about as
   surprising as the model expects are left. Each looks at the distribution that the one before has left,
   renormalised. Typical-p comes last because it may rule out the likeliest token, which min-p compares with.
5. Temperature, and the draw (`textgen.sampling.draw`); whether a run of one token goes on is decided
   without it, and so is whether a text of level subword repeats itself (`textgen.sampling.repeats`).

The controls that change probabilities (2, 3) come before the cuts (4). Otherwise all tokens that a cut
keeps could be ruled out afterwards. transformers and llama.cpp use this order too.
They differ on temperature: transformers divides by it before the cuts, llama.cpp after them. Here it
comes last. So the cuts depend only on what the model learned, and the same tokens remain at every
temperature: a high one makes the choice among good tokens more random and does not admit bad ones.

At least one token always remains: if 3 would rule out every token, it is skipped.
Ties are broken by the token's number, the lower (more frequent) one first.
"""

from __future__ import annotations

import copy
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from textgen.inference.numerics import Float64, log_softmax
from textgen.sampling.prompt_end import PromptEnd
from textgen.sampling.repeats import keep_chance
from textgen.sampling.settings import SamplingSettings

_REPEAT = 2
"""Length in tokens of a repeat. With 3, a fine-tuned base repeats itself half as often again."""


class Controls:
    """The controls of one text, and what they need to know about its previous tokens."""

    def __init__(
        self,
        settings: SamplingSettings,
        prompt: Iterable[int],
        end: PromptEnd | None = None,
        *,
        untempered_repeats: bool = False,
    ) -> None:
        """Read the tokens of the prompt.

        Args:
            settings: of the text.
            prompt: its tokens.
            end: the part of the prompt that has no tokens yet.
            untempered_repeats: a temperature below 1 does not make it likelier that the text repeats two
                tokens (`textgen.sampling.repeats`).
        """
        self._settings, self._end = settings, end
        # Values that change nothing, such as a penalty of 1, cost nothing.
        penalty = settings.repetition_penalty
        self._recent = Recent(settings.repetition_window) if penalty not in {None, 1} else None
        self._runs = Runs(settings.no_repeat_ngram) if settings.no_repeat_ngram is not None else None
        self._top_p = settings.top_p if settings.top_p != 1 else None
        self._typical_p = settings.typical_p if settings.typical_p != 1 else None
        self._cuts = settings.temperature > 0  # greedy decoding needs no cut
        untempered = untempered_repeats and 0 < settings.temperature < 1
        self._repeats = Runs(_REPEAT) if untempered else None
        memories = (self._recent, self._runs, self._repeats)
        self._memories = [memory for memory in memories if memory is not None]
        if self._memories:
            for token in prompt:
                self._remember(token)

    @property
    def end(self) -> PromptEnd | None:
        """The part of the prompt that the first tokens spell."""
        return self._end

    @property
    def untempered_repeats(self) -> bool:
        """Whether a repeat, and so a run of one token, keeps the model's own probability."""
        return self._repeats is not None

    @property
    def active(self) -> bool:
        """Whether any control is on."""
        if self._memories or self._end is not None:
            return True
        cuts = (self._settings.top_k, self._top_p, self._settings.min_p or None, self._typical_p)
        return self._cuts and any(cut is not None for cut in cuts)

    def remember(self, token: int) -> None:
        """Take the text's next token into account."""
        if self._end is not None:
            self._end.remember(token)
        self._remember(token)

    def mark(self) -> Place:
        """Return the current position, for `back`."""
        return Place(copy.copy(self._end), [each.length for each in self._memories])

    def back(self, place: Place) -> None:
        """Forget the tokens after a position."""
        self._end = copy.copy(place.end)
        for each, length in zip(self._memories, place.lengths, strict=True):
            each.back(length)

    def _remember(self, token: int) -> None:
        for each in self._memories:
            each.add(token)

    def apply(self, logits: Float64) -> None:
        """Change the logits of the next token in place, shape (vocabulary,); -inf rules out."""
        settings = self._settings
        if self._end is not None:
            self._end.apply(logits)
        if self._recent is not None and settings.repetition_penalty is not None:
            penalize(logits, self._recent.tokens(), settings.repetition_penalty)
        if self._runs is not None:
            rule_out(logits, self._runs.completions())
        if not self._cuts:
            return
        if settings.top_k is not None:
            keep_top_k(logits, settings.top_k)
        if self._top_p is not None:
            keep_top_p(logits, self._top_p)
        if settings.min_p:
            keep_min_p(logits, settings.min_p)
        if self._typical_p is not None:
            keep_typical_p(logits, self._typical_p)
        if self._repeats is not None and (again := self._repeats.completions()):
            keep_chance(logits, again, settings.temperature, at_most=True)


class Place(NamedTuple):
    """A position of a text that its controls can go back to."""

    end: PromptEnd | None
    lengths: list[int]


class Recent:
    """The tokens of a sliding window."""

    def __init__(self, window: int) -> None:
        """Create an empty window.

        Args:
            window: its length in tokens.
        """
        self._window = window
        self._text: list[int] = []
        self._counts: Counter[int] = Counter()

    @property
    def length(self) -> int:
        """Number of tokens of the text so far."""
        return len(self._text)

    def add(self, token: int) -> None:
        """Append a token; the oldest one leaves a full window."""
        self._text.append(token)
        self._counts[token] += 1
        if len(self._text) > self._window:
            leaving = self._text[-self._window - 1]
            self._counts[leaving] -= 1
            if not self._counts[leaving]:
                del self._counts[leaving]

    def back(self, length: int) -> None:
        """Forget all but the first ``length`` tokens of the text."""
        del self._text[length:]
        self._counts = Counter(self._text[-self._window :])

    def tokens(self) -> list[int]:
        """Return the distinct tokens of the window."""
        return list(self._counts)


class Runs:
    """The tokens that followed each run of n - 1 tokens so far."""

    def __init__(self, n: int) -> None:
        """Start with an empty text."""
        self._size = n - 1
        self._text: list[int] = []
        self._followers: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)

    @property
    def length(self) -> int:
        """Number of tokens of the text so far."""
        return len(self._text)

    def add(self, token: int) -> None:
        """Append a token to the text."""
        if len(self._text) >= self._size:
            self._followers[self._last()].append(token)
        self._text.append(token)

    def back(self, length: int) -> None:
        """Forget all but the first ``length`` tokens of the text."""
        while len(self._text) > length:
            self._text.pop()
            if len(self._text) >= self._size:
                self._followers[self._last()].pop()

    def completions(self) -> list[int]:
        """Return the tokens that would complete an n-gram that the text already holds, each once."""
        return list(dict.fromkeys(self._followers.get(self._last(), ())))

    def _last(self) -> tuple[int, ...]:
        return tuple(self._text[len(self._text) - self._size :])


def penalize(logits: Float64, tokens: list[int], penalty: float) -> None:
    """Make tokens less likely, as in CTRL (Keskar et al. 2019).

    CTRL divides logits by the penalty. A negative logit is multiplied by it, since division would raise it.
    """
    if tokens:
        chosen = logits[tokens]
        logits[tokens] = np.where(chosen > 0, chosen / penalty, chosen * penalty)


def rule_out(logits: Float64, tokens: list[int]) -> None:
    """Rule tokens out, unless no token would be left."""
    if tokens:
        before = logits[tokens]
        logits[tokens] = -np.inf
        if logits.max() == -np.inf:
            logits[tokens] = before


def keep_top_k(logits: Float64, k: int) -> None:
    """Rule out all but the k likeliest tokens."""
    if k >= len(logits):
        return
    bar = np.partition(logits, -k)[-k]
    ties = np.flatnonzero(logits == bar)
    above = int(np.count_nonzero(logits > bar))
    logits[logits < bar] = -np.inf
    logits[ties[k - above :]] = -np.inf


def keep_top_p(logits: Float64, p: float) -> None:
    """Rule out all but the smallest set of likeliest tokens whose probability is at least p."""
    weights = np.exp(logits - logits.max())
    total = weights.sum()
    # All tokens below this weight together have less than 1 - p, so the set never needs them. With a large
    # vocabulary, this leaves few tokens to sort.
    likely = np.flatnonzero(weights >= total * (1 - p) / len(weights))
    ranked = likely[np.argsort(-weights[likely], kind="stable")]
    needed = int(np.searchsorted(weights[ranked].cumsum(), p * total)) + 1
    kept = ranked[:needed]
    values = logits[kept]
    logits.fill(-np.inf)
    logits[kept] = values


def keep_min_p(logits: Float64, share: float) -> None:
    """Rule out tokens whose probability is below a share of the likeliest one's."""
    logits[logits < logits.max() + math.log(share)] = -np.inf


def keep_typical_p(logits: Float64, p: float) -> None:
    """Rule out all but the most typical tokens whose probability together is at least p.

    A token is the more typical, the closer its surprise, -log of its probability, is to the entropy of the
    distribution: locally typical sampling (Meister et al. 2023).
    """
    possible = np.flatnonzero(logits > -np.inf)
    log_probabilities = log_softmax(logits[possible])
    probabilities = np.exp(log_probabilities)
    entropy = -(probabilities * log_probabilities).sum()
    # Rounded, so that the last bits of a logarithm do not order tokens that are equally typical.
    distances = np.abs(log_probabilities + entropy).round(9)
    ranked = np.argsort(distances, kind="stable")
    needed = int(np.searchsorted(probabilities[ranked].cumsum(), p)) + 1
    logits[possible[ranked[needed:]]] = -np.inf
