"""How a text is drawn from a model: every control as one checked value, for command, library and server."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypedDict, get_args

from textgen.errors import SettingsError
from textgen.values import check_choice, check_number, plain, refuse_unknown, shown

MAXIMUM_LENGTH = 1_000_000
MAXIMUM_TEMPERATURE = 10.0
MAXIMUM_RANDOM_SEED = 2**63 - 1
MAXIMUM_COUNT = 256
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
    "count": (1, MAXIMUM_COUNT),
    "temperature": (0.0, MAXIMUM_TEMPERATURE),
    "top_p": (1e-9, 1.0),
    "min_p": (0.0, 1.0),
    "typical_p": (1e-9, 1.0),
    "repetition_penalty": (0.1, 10.0),
    "time_limit_s": (1e-3, 86_400.0),
}
_OPTIONAL = {
    "random_seed",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "repetition_penalty",
    "no_repeat_ngram",
    "time_limit_s",
}
_SPOKEN = {"random_seed": "the random seed"}


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
    """How a text is drawn from a model. None turns a control off.

    `textgen.sampling.controls` says in which order the controls apply, and why.

    Attributes:
        length: the text has at most so many characters (code points), or words at word level. It
            never ends inside what a reader sees as one character, so it may be a little shorter.
        temperature: logits are divided by it; below 1 the likely becomes likelier, and 0 always
            takes the likeliest token ("greedy"). Whether a row of blanks (any run of one token) goes on
            is left to the model, unless it is 0.
        random_seed: the same seed, bundle and settings give the same text; None draws one.
        top_k: only the k likeliest tokens can be drawn (Fan et al. 2018).
        top_p: only the likeliest tokens that together have this probability (Holtzman et al. 2020).
        min_p: only tokens at least so likely, relative to the likeliest (Nguyen et al. 2024).
        typical_p: only the tokens that together have this probability and whose surprise is closest to the
            expected one (Meister et al. 2023); the likeliest token may be ruled out.
        repetition_penalty: above 1, tokens that stand in the last `repetition_window` become less
            likely (Keskar et al. 2019).
        repetition_window: number of last tokens that count for it, those of the seed included.
        no_repeat_ngram: no run of so many tokens comes twice, the seed included.
        stop: the text ends before the first of these.
        count: number of texts; the one with number i, from 0, has the random seed `random_seed` + i,
            so that each can be had again alone.
        time_limit_s: seconds from the request, after which the text ends where it is.
        unseen: what becomes of symbols in the seed that the model has never seen, and no
            form of (`textgen.sampling.typed_text`): "drop" them, "replace" them by the unknown token, or
            "refuse" the seed.

        novel: draw lines again that stand in the corpus, a bounded number of times; None does so where
            the corpus was one item a line (`textgen.corpus.items`). Other models cannot tell.

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
            check_number(_SPOKEN.get(name, name), value, low, high, optional=name in _OPTIONAL)
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
