"""How much the samples of a fine-tuned base repeat themselves and their corpus, by newer and by older rules.

``python -m benchmarks.repeats MODEL FOLDER [LENGTH]`` prints, for several temperatures, the share of pieces
of 12 characters that stand earlier in the same sample, and that of pieces of 20 and 50 that stand in
FOLDER/input.txt; and the same for parts of FOLDER/validate.txt, which people wrote. MODEL is a bundle, or
the name of a base of this host.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from textgen.evaluation.memorization import copied_share
from textgen.model import TextModel
from textgen.sampling import SamplingSettings

TEMPERATURES = (0.5, 0.7, 1.0)
_PIECE = 12
_SAMPLES = 64
_MOST = 0.2


def main() -> None:
    """Write the samples and print the table."""
    named, folder = sys.argv[1], Path(sys.argv[2])
    corpus, text = ((folder / name).read_text(encoding="utf-8") for name in ("input.txt", "validate.txt"))
    length = int(sys.argv[3]) if len(sys.argv) > 3 else 500
    model = TextModel.load(named) if Path(named).exists() else TextModel.of_base(named)
    table = Table(title=f"pieces of {_PIECE} characters that stand earlier in the same {length} characters")
    for column in ("text", "mean", "median", f"texts above {_MOST:.0%}", "copied: 20 (50)"):
        table.add_column(column)
    starts = range(0, max(1, len(text) - length), max(1, length // 4))
    table.add_row("of people", *_figures([text[start : start + length] for start in starts], corpus))
    for temperature in TEMPERATURES:
        for kept in (False, True):
            model.manifest = replace(model.manifest, sampling=2 if kept else 1)
            settings = SamplingSettings(length, temperature, random_seed=1, count=_SAMPLES)
            samples = [sample.text for sample in model.samples("", settings)]
            name = f"temperature {temperature}, {'newer' if kept else 'older'} rules"
            table.add_row(name, *_figures(samples, corpus))
    Console(width=110).print(table)


def _figures(texts: list[str], corpus: str) -> tuple[str, str, str, str]:
    shares = np.array([repeated_share(text) for text in texts])
    copied = f"{copied_share(texts, corpus, 20):.2%} ({copied_share(texts, corpus, 50):.2%})"
    return f"{shares.mean():.1%}", f"{np.median(shares):.1%}", f"{(shares > _MOST).mean():.0%}", copied


def repeated_share(text: str) -> float:
    """Return the share of a text's pieces of 12 characters that stand earlier in it, 0 to 1."""
    pieces = [text[start : start + _PIECE] for start in range(len(text) - _PIECE + 1)]
    return 1 - len(set(pieces)) / max(1, len(pieces))


if __name__ == "__main__":
    main()
