"""Sampling: the settings of a text, the controls that narrow each choice, the draw, and the text's end."""

from textgen.sampling.novelty.lines import Novelty
from textgen.sampling.novelty.passages import Corpora, Passages
from textgen.sampling.settings import SamplingKeywords, SamplingSettings

__all__ = [
    "Corpora",
    "Novelty",
    "Passages",
    "SamplingKeywords",
    "SamplingSettings",
]
