"""How a text is drawn from a model: every control as one checked value, for command, library and server."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypedDict, get_args

from textgen.argument_checks import check_choice, check_number, plain, refuse_unknown, shown
from textgen.errors import SettingsError

MAXIMUM_LENGTH = 1_000_000
MAXIMUM_RANDOM_SEED = 2**63 - 1
MAXIMUM_STOPS = 16
MAXIMUM_STOP_CHARACTERS = 200

Unseen = Literal["refuse", "replace", "drop"]
UNSEEN: tuple[str, ...] = get_args(Unseen)

# Lowest and highest value. Where both are whole numbers, the value must be one.
_BOUNDS: dict[str, tuple[float, float]] = {
    "length": (1, MAXIMUM_LENGTH),
    "random_seed": (0, MAXIMUM_RANDOM_SEED),
    "top_k": (1, 1_000_000),
    "repetition_window": (1, 10_000),
    "no_repeat_ngram": (1, 100),
    "count": (1, 256),
    "temperature": (0.0, 10.0),
    "top_p": (1e-9, 1.0),
    "min_p": (0.0, 1.0),
    "typical_p": (1e-9, 1.0),
    "repetition_penalty": (0.1, 10.0),
    "time_limit_s": (1e-3, 86_400.0),
}
# What messages call a setting, where that is not its name.
SPOKEN = {"random_seed": "the random seed"}


class SamplingKeywords(TypedDict, total=False):
    """The settings as keywords of `textgen.model.TextModel.generate`."""

    length: int
    temperature: float
    random_seed: int | None
    top_k: int | None
    top_p: float | None
    min_p: float | None
    typical_p: float | None
    repetition_penalty: float | None
    repetition_window: int
    no_repeat_ngram: int | None
    stop: str | Iterable[str]
    time_limit_s: float | None
    unseen: Unseen
    novel: bool | None


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """Sampling settings. None turns a control off.

    `textgen.sampling.controls` describes the order in which the controls apply, and the reasons.

    Attributes:
        length: maximum length in characters (code points), or in words at word level. A text never ends
            inside a grapheme cluster, so it may be a little shorter.
        temperature: the logits are divided by it. Below 1, likely tokens become more likely; 0 always takes
            the most likely token (greedy decoding). Above 0, it does not change the probability that a run
            of one token continues, nor, at level subword, does a low one make repeats likelier
            (`textgen.sampling.repeats`).
        random_seed: the same random seed, seed, bundle and settings give the same text; None draws one.
        top_k: only the k most likely tokens can be drawn (Fan et al. 2018).
        top_p: only the most likely tokens that together have this probability (Holtzman et al. 2020).
        min_p: only tokens with at least this share of the highest probability (Nguyen et al. 2024).
        typical_p: only the most typical tokens that together have this probability: those whose surprise is
            closest to the entropy (Meister et al. 2023). It may rule out the most likely token.
        repetition_penalty: above 1, the tokens of the last `repetition_window` become less likely (Keskar
            et al. 2019).
        repetition_window: number of last tokens that the penalty looks at, those of the seed included.
        no_repeat_ngram: no sequence of this many tokens comes twice, the seed included.
        stop: stop sequences; the text ends before the first of them.
        count: number of texts. The text with number i, from 0, has the random seed `random_seed` + i, so
            each text can be written again alone.
        time_limit_s: seconds from the request until the text ends where it is.
        unseen: what to do with symbols of the seed of which the model knows no form
            (`textgen.sampling.typed_text`): "drop" them, "replace" them by the unknown token, or "refuse"
            the seed.
        novel: reject lines that stand in the corpus and draw them again, up to a limit. None does so if the
            corpus has one item per line (`textgen.corpus.one_item_a_line`); other models do not know their
            lines.

    Raises:
        SettingsError: a value lies outside its bounds.

    Example:
        >>> textgen.SamplingSettings(length=200, temperature=0.9, top_p=0.95).count
        1
    """

    length: int = 500
    temperature: float = 0.7
    random_seed: int | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical_p: float | None = None
    repetition_penalty: float | None = None
    repetition_window: int = 64
    no_repeat_ngram: int | None = None
    stop: tuple[str, ...] = ()
    count: int = 1
    time_limit_s: float | None = None
    unseen: Unseen = "drop"
    novel: bool | None = None

    def __post_init__(self) -> None:
        """Check every bound."""
        for name, (low, high) in _BOUNDS.items():
            value = plain(getattr(self, name))
            object.__setattr__(self, name, value)
            check_number(SPOKEN.get(name, name), value, low, high, optional=name in _OPTIONAL)
        check_choice("unseen", self.unseen, UNSEEN)
        object.__setattr__(self, "novel", plain(self.novel))
        if self.novel is not None and not isinstance(self.novel, bool):
            raise SettingsError(f"novel is {shown(self.novel)}; it can be true, false, or be left out")
        # One string and a list are natural to write, the latter also in JSON.
        object.__setattr__(self, "stop", _checked_stops(self.stop))

    @classmethod
    def of(cls, keywords: Mapping[str, Any]) -> SamplingSettings:
        """Return the settings that keywords name.

        Raises:
            SettingsError: there is no such setting, or a value lies outside its bounds.
        """
        refuse_unknown(keywords, [item.name for item in fields(cls)])
        return cls(**keywords)

    def seeded(self) -> SamplingSettings:
        """Return the settings with a random seed: the given one, or a fresh one that is short to type."""
        return self if self.random_seed is not None else replace(self, random_seed=secrets.randbelow(2**32))

    def candidates(self) -> list[SamplingSettings]:
        """Return the settings of each of the `count` texts, on its own."""
        first = self.seeded().random_seed or 0
        return [
            replace(self, count=1, random_seed=(first + number) % (MAXIMUM_RANDOM_SEED + 1))
            for number in range(self.count)
        ]


_OPTIONAL = {item.name for item in fields(SamplingSettings) if item.default is None}


def _checked_stops(stop: object) -> tuple[str, ...]:
    stops = (stop,) if isinstance(stop, str) else stop
    if not isinstance(stops, list | tuple):
        raise SettingsError(f"stop is {shown(stop)}; it must be a text or a list of texts")
    if len(stops) > MAXIMUM_STOPS:
        raise SettingsError(f"there are {len(stops)} stop texts; at most {MAXIMUM_STOPS} are looked for")
    for text in stops:
        if not isinstance(text, str) or not 1 <= len(text) <= MAXIMUM_STOP_CHARACTERS:
            raise SettingsError(
                f"stop holds {shown(text)}; each must be a text of 1 to {MAXIMUM_STOP_CHARACTERS} characters"
            )
    return tuple(stops)
