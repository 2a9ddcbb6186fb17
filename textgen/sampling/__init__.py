"""Sampling: the settings of a text, the controls that narrow each choice, the draw, and the text's end."""

from textgen.sampling.controls import Controls
from textgen.sampling.draw import Draw
from textgen.sampling.novelty import Copies, Corpora, Novelty, Passages
from textgen.sampling.settings import SamplingKeywords, SamplingSettings
from textgen.sampling.writer import Ending, Writer

__all__ = [
    "Controls",
    "Copies",
    "Corpora",
    "Draw",
    "Ending",
    "Novelty",
    "Passages",
    "SamplingKeywords",
    "SamplingSettings",
    "Writer",
]
