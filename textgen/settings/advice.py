"""What to train a corpus with: a level, a preset, and how long that takes."""

from __future__ import annotations

from dataclasses import dataclass

from textgen.corpus.report import CorpusStats
from textgen.levels import CHAR, SUBWORD
from textgen.settings.training import TrainingSettings

# Characters a second that `textgen train` goes through at character level, by preset, on two cores of
# an Intel Xeon without a GPU (`python -m benchmarks growth`); a subword holds about four characters.
_SPEEDS = {"tiny": 60_000, "small": 36_000, "medium": 19_000, "large": 9_500}
_SUBWORD_CHARACTERS = 4

# The largest text, in characters, that each preset is suggested for.
_PRESETS = ((200_000, "tiny"), (5_000_000, "small"), (50_000_000, "medium"))
_SUBWORD_FROM = 20_000_000


@dataclass(frozen=True, slots=True)
class Advice:
    """Suggestions; a training may well be told otherwise.

    Attributes:
        level: "char" or "subword".
        preset: one of `textgen.settings.presets.PRESETS`.
        seconds: of a training over all of the preset's epochs.
        basis: what the time was reckoned from.
    """

    level: str
    preset: str
    seconds: float
    basis: str


def advise(stats: CorpusStats) -> Advice:
    """Return what a corpus with these figures is best begun with."""
    preset = next((name for most, name in _PRESETS if stats.characters <= most), "large")
    # Thousands of symbols make characters rare: bytes and their frequent combinations are learned sooner.
    subword = stats.characters >= _SUBWORD_FROM or stats.too_many_symbols
    speed = _SPEEDS[preset] * (_SUBWORD_CHARACTERS if subword else 1)
    epochs = TrainingSettings.from_flags(preset=preset).num_epochs
    return Advice(
        level=(SUBWORD if subword else CHAR).name,
        preset=preset,
        seconds=epochs * stats.characters / speed,
        basis=f"{epochs} epochs at {speed:,} characters a second, as measured on two cores without a GPU",
    )
