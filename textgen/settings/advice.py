"""Suggests settings for a corpus: a level, a preset, and the time that the training takes."""

from __future__ import annotations

from dataclasses import dataclass

from textgen.corpus.report import CorpusStats
from textgen.levels import CHAR, SUBWORD
from textgen.settings.training import TrainingSettings

# Characters a second that `textgen train` reads at character level, by preset, on two cores of an Intel
# Xeon without a GPU (`python -m benchmarks growth`). A subword has about four characters.
_SPEEDS = {"tiny": 60_000, "small": 36_000, "medium": 19_000, "large": 9_500}
_SUBWORD_CHARACTERS = 4

# The largest text, in characters, that each preset is suggested for.
_PRESETS = ((200_000, "tiny"), (5_000_000, "small"), (50_000_000, "medium"))
_SUBWORD_FROM = 20_000_000


@dataclass(frozen=True, slots=True)
class Advice:
    """Suggested settings for a training.

    Attributes:
        level: "char" or "subword".
        preset: one of `textgen.settings.presets.PRESETS`.
        seconds: estimated duration of the preset's epochs.
        basis: how the duration was estimated, in words.
    """

    level: str
    preset: str
    seconds: float
    basis: str


def advise(stats: CorpusStats) -> Advice:
    """Return the settings to try first for a corpus with these figures."""
    preset = next((name for most, name in _PRESETS if stats.characters <= most), "large")
    # With thousands of symbols each one is rare. Bytes and their frequent combinations are learned sooner.
    subword = stats.characters >= _SUBWORD_FROM or stats.too_many_symbols
    speed = _SPEEDS[preset] * (_SUBWORD_CHARACTERS if subword else 1)
    epochs = TrainingSettings.from_flags(preset=preset).num_epochs
    return Advice(
        level=(SUBWORD if subword else CHAR).name,
        preset=preset,
        seconds=epochs * stats.characters / speed,
        basis=f"{epochs} epochs at {speed:,} characters a second, as measured on two cores without a GPU",
    )
