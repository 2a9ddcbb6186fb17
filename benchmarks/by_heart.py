"""How much of its corpus the bot repeats with its defaults: the default model on each kind of text.

``python -m benchmarks.by_heart [SECONDS [CORPUS ...]]`` trains on each corpus of `benchmarks.presets` and has
a hundred texts written as the bot does: again, a few times at most, where one repeats too much.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.learning import train
from benchmarks.presets import write_corpora
from bot.generation.service import REDRAWN
from models.tables.guilds import DEFAULT_LENGTH, DEFAULT_LONGEST_COPY, DEFAULT_TEMPERATURE
from textgen.evaluation.copies import CopyIndex
from textgen.evaluation.memorization import copied_share
from textgen.model import TextModel
from textgen.sampling import SamplingSettings

TEXTS = 100
_GRAM = 50


def main() -> None:
    seconds, wanted = sys.argv[1] if len(sys.argv) > 1 else "60", sys.argv[2:]
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        for corpus in write_corpora(Path(folder)):
            if wanted and corpus.name not in wanted:
                continue
            train(corpus, corpus / "model", "--time-limit", seconds)
            model, path = TextModel.load(corpus / "model"), corpus / "input.txt"
            index, text = CopyIndex.of(path, DEFAULT_LONGEST_COPY), path.read_text(encoding="utf-8")
            first = [_written(model, number) for number in range(TEXTS)]
            sent = [_sent(model, index, number, each) for number, each in enumerate(first)]
            marked = sum(index.longest_copy(each) > 0 for each in sent)
            copied, before = (copied_share(texts, text, _GRAM) for texts in (sent, first))
            console.print(
                f"{corpus.name}: {copied:.3%} of the pieces of {_GRAM} characters are copied ({before:.3%} "
                f"without drawing again); {marked} of {TEXTS} texts say so"
            )


def _written(model: TextModel, random_seed: int) -> str:
    settings = SamplingSettings(DEFAULT_LENGTH, DEFAULT_TEMPERATURE, random_seed=random_seed)
    return model.samples("", settings)[0].text


def _sent(model: TextModel, index: CopyIndex, number: int, text: str) -> str:
    """Return what the bot would send: of a few texts the one that copies the least."""
    seeds = random.Random(number)
    for draws in REDRAWN:
        if not index.longest_copy(text):
            break
        others = [_written(model, seeds.randrange(2**32)) for _ in range(draws)]
        text = min((text, *others), key=index.longest_copy)
    return text


if __name__ == "__main__":
    main()
