"""What keeps a text from repeating its corpus: lines that are known, passages that are too long."""

from __future__ import annotations

from textgen.sampling.novelty.lines import Novelty
from textgen.sampling.novelty.passages import Copies, Corpora, Passages

__all__ = ["Copies", "Corpora", "Novelty", "Passages"]
