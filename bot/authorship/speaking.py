"""Which words of a text speak for which model. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.generation.sampler_protocol import Likelihood

COMPARED = 3
"""Models whose words are told apart: the first ones of the ranking."""

NOBODY = -1
"""Speaker of a word that all of these models find far less likely than words of their own texts."""

# A word that costs so many nats less with one model than with the next speaks for it with full strength.
_FULL_NATS = 2.0
# A word speaks for nobody if it costs every model this share more than its own text does.
_NOBODY_SHARE = 0.7


@dataclass(frozen=True)
class Word:
    """A word of the text.

    Attributes:
        text: as people may see it; empty if it is hidden together with the word before it.
        speaker: the place of a model in the ranking, from 0, or `NOBODY`.
        strength: how clearly it speaks for this one against the next one, 0 to 1.
    """

    text: str
    speaker: int
    strength: float


def words_of(shown: Sequence[str], ranking: Sequence[Likelihood]) -> list[Word]:
    """Tell for each word which of the first models finds it the least surprising.

    Args:
        shown: the words as people may see them.
        ranking: one or more models, the likeliest first; all have read these words.
    """
    words = []
    for text, costs in zip(
        shown, zip(*(each.costs for each in ranking[:COMPARED]), strict=True), strict=True
    ):
        excesses = {place: nats - expected for place, (nats, expected) in enumerate(costs)}
        excesses[NOBODY] = _NOBODY_SHARE * sum(expected for _, expected in costs) / len(costs)
        first, second = sorted(excesses, key=lambda place: (excesses[place], place))[:2]
        strength = min(1.0, (excesses[second] - excesses[first]) / _FULL_NATS)
        words.append(Word(text, first, strength))
    return words


def strongest(words: Sequence[Word], speaker: int, most: int) -> list[str]:
    """Return the words that speak most clearly for somebody, each once, however it is written."""
    ordered = sorted(words, key=lambda word: -word.strength)
    found: dict[str, str] = {}
    for word in ordered:
        bare = word.text.strip(".,;:!?\"'“”‘’«»()[]…–—- ")
        if word.speaker == speaker and word.strength > 0 and bare:
            found.setdefault(bare.casefold(), bare)
    return list(found.values())[:most]
