"""The presets on corpora of different kinds: loss, and how much they memorise.

``python -m benchmarks.presets [SECONDS [CORPUS ...]]`` prints a table; README.md has the results.
"""

from __future__ import annotations

import random
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from babel import Locale
from babel.localedata import locale_identifiers
from rich.console import Console
from rich.table import Table

from benchmarks.learning import train
from textgen.evaluation.memorization import copied_share, memorization
from textgen.model import TextModel
from textgen.sampling import SamplingSettings

PRESETS = ("tiny", "small", "medium", "large")
TEMPERATURES = (0.5, 1.0)
_SAMPLES = 16
_SAMPLE_LENGTH = 1_000
_LARGEST = 1_500_000
_VALIDATION_SHARE = 0.05


def main() -> None:
    """Train every preset on every corpus and print the table."""
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    table = Table(title=f"{seconds} s each; copied: share of 20-grams (50-grams), longest run")
    for column in ("corpus", "preset", "nats", "steps", *(f"copied at T {t}" for t in TEMPERATURES)):
        table.add_column(column)
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        for corpus in write_corpora(Path(folder)):
            if sys.argv[2:] and corpus.name not in sys.argv[2:]:
                continue
            text = (corpus / "input.txt").read_text(encoding="utf-8")
            held_out = (corpus / "validate.txt").read_text(encoding="utf-8")
            table.add_row(corpus.name, "the held-out text", "", "", _share_of([held_out], text), "")
            for preset in PRESETS:
                output = corpus / preset
                told = train(corpus, output, "--preset", preset, "--time-limit", seconds)[-1]
                copied = [_copied(TextModel.load(output), temperature, text) for temperature in TEMPERATURES]
                row = (corpus.name, preset, f"{told['validation_loss']:.3f}", str(told["steps"]), *copied)
                console.print(" · ".join(row))  # at once: the whole takes half an hour
                table.add_row(*row)
    console.print(table)


def _copied(model: TextModel, temperature: float, corpus: str) -> str:
    settings = SamplingSettings(_SAMPLE_LENGTH, temperature, random_seed=1, count=_SAMPLES)
    return _share_of([sample.text for sample in model.samples("", settings)], corpus)


def _share_of(texts: list[str], corpus: str) -> str:
    found, long = memorization(texts, corpus), copied_share(texts, corpus, gram=50)
    return f"{found.share:.2%} ({long:.2%}), {found.longest}"


def write_corpora(folder: Path) -> list[Path]:
    """Write a corpus of each kind, its end held out."""
    plays = folder / "plays"
    subprocess.run([sys.executable, "-m", "textgen", "corpus", "shakespeare", str(plays)], check=True)
    whole = (plays / "input.txt").read_text(encoding="utf-8")
    standard_library = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    licences = sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info/**/*LICEN*"))
    licences = [path for path in licences if path.is_file()]
    texts = {
        "shakespeare": whole[:_LARGEST],
        "50 kB": whole[:50_000],
        "program code": "".join(map(_read, standard_library)),
        "licences": "".join(dict.fromkeys(map(_read, licences))),
        "many scripts": _names_in_many_scripts(),
    }
    written = []
    for name, text in texts.items():
        target = folder / name
        target.mkdir()
        cut = int(len(text[:_LARGEST]) * (1 - _VALIDATION_SHARE))
        (target / "input.txt").write_text(text[:cut], encoding="utf-8")
        (target / "validate.txt").write_text(text[cut:_LARGEST], encoding="utf-8")
        written.append(target)
    return written


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _names_in_many_scripts() -> str:
    """Return lists of languages, lands and months as many languages write them, in an order of chance."""
    lines = []
    for identifier in locale_identifiers():
        if "_" not in identifier:
            locale = Locale.parse(identifier)
            names = [*locale.languages.values(), *locale.territories.values()]
            names += locale.months["format"]["wide"].values()
            lines.append(", ".join(map(str, names)))
    random.Random(1).shuffle(lines)
    return "\n".join(lines)


if __name__ == "__main__":
    main()
