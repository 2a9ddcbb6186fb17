"""Who wrote it, and did this model: `python -m benchmarks.who` trains five small models and prints a table.

Five authors of English: Shakespeare's tragedies, licences, and the docstrings of three projects; comedies of
the same Shakespeare and the docstrings of a fourth project are by none of them. Each model learns from four
fifths of its text and is asked about pieces of the rest.
"""

from __future__ import annotations

import ast
import importlib.metadata
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from rich.console import Console
from rich.table import Table

import textgen
from benchmarks.figures import Figure
from textgen.corpus.shakespeare import plays
from textgen.evaluation.authorship.verification import Verdict, code_of_sample, verify
from textgen.evaluation.authorship.who import who
from textgen.model import TextModel
from textgen.receipts.code import Receipt
from textgen.sampling import SamplingSettings

PIECES = 100
LENGTHS = (300, 80)
VERIFIED = 1_000
_CHARACTERS = 400_000
_TRAINING_S = 4
_PROJECTS = ("sqlalchemy", "numpy", "discord")
_OUTSIDER = "pygments"


def authors() -> dict[str, str]:
    """Return the texts of the five authors, by name."""
    made = {"tragedies": "\n".join(plays()), "licences": _licences()}
    made |= {f"docstrings of {name}": _docstrings(name) for name in _PROJECTS}
    return {name: text[:_CHARACTERS] for name, text in made.items()}


def _docstrings(project: str) -> str:
    """Return the docstrings of a project's modules, each once."""
    found: dict[str, None] = {}
    package = find_spec(project)
    if package is None or package.origin is None:
        raise RuntimeError(f"{project}, whose docstrings are read, is not installed")
    for path in sorted(Path(package.origin).parent.rglob("*.py")):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                found[ast.get_docstring(node) or ""] = None
        if sum(map(len, found)) > _CHARACTERS:
            break
    return "\n\n".join(found)


def _licences() -> str:
    """Return the licences of what is installed; a line that stands in several of them once."""
    lines: dict[str, None] = {}
    for package in sorted(importlib.metadata.distributions(), key=lambda each: str(each.metadata["Name"])):
        for file in package.files or ():
            if "licen" in file.name.lower() and file.suffix in ("", ".txt", ".md", ".rst"):
                path = Path(str(file.locate()))
                if path.is_file():
                    lines |= dict.fromkeys(path.read_text(encoding="utf-8", errors="ignore").splitlines())
    return "\n".join(lines)


def _pieces(text: str, length: int, count: int) -> list[str]:
    """Return pieces that are spread evenly over a text and begin with a word."""
    apart = max(1, (len(text) - 2 * length) // count)
    starts = [text.find(" ", at * apart) + 1 for at in range(count)]
    return [text[start : start + length] for start in starts]


def attribution(folder: Path) -> tuple[list[Figure], list[TextModel]]:
    """Train the models and ask them who wrote what."""
    texts = authors()
    held_out, models = {}, []
    for name, text in texts.items():
        cut = len(text) * 4 // 5
        held_out[name] = text[cut:]
        source = folder / f"{len(models)}.txt"
        source.write_text(text[:cut], encoding="utf-8")
        output = folder / f"model-{len(models)}"
        textgen.train(source, output=output, time_limit=_TRAINING_S, random_seed=1, pristine_input=True)
        models.append(textgen.load(output))
        print(f"{name}: {len(text):,} characters, {models[-1].manifest.validation_loss:.3f} nats", flush=True)
    outsiders = {"comedies": plays("comedies")[0], f"docstrings of {_OUTSIDER}": _docstrings(_OUTSIDER)}
    figures = []
    for length in LENGTHS:
        right = none = 0
        for number, text in enumerate(held_out.values()):
            for piece in _pieces(text, length, PIECES):
                first = who(piece, models)[0]
                right += first.model == number
                none += first.unlike
        asked = len(held_out) * PIECES
        bound = "≥ 95" if length == LENGTHS[0] else "≥ 80"
        figures.append(Figure(f"who: right for {length} characters", 100 * right / asked, "%", bound))
        figures.append(Figure(f"who: their own authors called none, {length}", 100 * none / asked, "%"))
        for name, text in outsiders.items():
            pieces = _pieces(text[:100_000], length, PIECES)
            unlike = sum(who(piece, models)[0].unlike for piece in pieces)
            figures.append(Figure(f"who: {name} called none, {length}", 100 * unlike / PIECES, "%"))
    return figures, models


def verification(models: Sequence[TextModel], count: int) -> list[Figure]:
    """Verify texts as they are, and with one character changed."""
    draw = random.Random(1)
    yes = told = 0
    taken = []
    for number, model in zip(range(count), itertools.cycle(models), strict=False):
        seed = "the licence of this " if number % 2 else ""
        settings = SamplingSettings(length=500, temperature=draw.choice((0.3, 0.7, 1.0)), random_seed=number)
        sample = model.sample(seed, settings)
        code = code_of_sample(model, settings, sample, seeded=bool(seed)) or ""
        text = sample.seed + sample.text
        begun = time.perf_counter()
        yes += verify(text, Receipt.from_code(code), model).verdict is Verdict.YES
        taken.append(time.perf_counter() - begun)
        at = draw.randrange(len(text))
        letter = draw.choice([symbol for symbol in "abcdefghij .,X\n" if symbol != text[at]])
        begun = time.perf_counter()
        found = verify(text[:at] + letter + text[at + 1 :], Receipt.from_code(code), model)
        taken.append(time.perf_counter() - begun)
        told += any(change.at <= at < change.at + len(change.written) for change in found.changes)
    return [
        Figure(f"verify: of {count:,} genuine texts, yes", yes, "", f"≥ {count}"),
        Figure(f"verify: of {count:,} with a changed character, told where", told, "", f"≥ {count}"),
        Figure("verify: median", statistics.median(taken), "s"),
        Figure("verify: the slowest", max(taken), "s", "≤ 1"),
    ]


def main() -> int:
    """Measure, print, and return the exit code."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else VERIFIED
    with tempfile.TemporaryDirectory(prefix="textgen-who-") as folder:
        figures, models = attribution(Path(folder))
        figures += verification(models, count)
    table = Table()
    for column in ("figure", "measured", "unit", "bound", ""):
        table.add_column(column)
    for each in figures:
        met = {True: "met", False: "MISSED", None: ""}[each.met]
        table.add_row(each.name, f"{each.value:,.4g}", each.unit, each.bound, met)
    Console(width=110).print(table)
    return 1 if any(each.met is False for each in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
