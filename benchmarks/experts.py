"""What counting words and long contexts is worth: the default beside the same network with n-grams alone.

``python -m benchmarks.experts [SECONDS [CORPUS ...]]`` trains both on each corpus of `benchmarks.presets`, in
turns, and prints the losses on held-out text and how much lower the default's is.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.presets import write_corpora
from textgen.evaluation import stateful_pass
from textgen.model import TextModel

CORPORA = ("program code", "licences")
_TRAIN = """
import sys, textgen
corpus, output, seconds, *experts = sys.argv[1:]
textgen.train(corpus, output=output, time_limit=float(seconds), experts=experts, pristine_input=True)
"""


def main() -> None:
    seconds, wanted = (sys.argv[1] if len(sys.argv) > 1 else "60"), sys.argv[2:] or CORPORA
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as folder:
        for corpus in write_corpora(Path(folder)):
            if corpus.name not in wanted:
                continue
            before, after = (_loss(corpus, seconds, *experts) for experts in ((), ("words", "long")))
            console.print(
                f"{corpus.name}, {seconds} s: n-grams alone {before:.4f}, default {after:.4f} nats per "
                f"character: {1 - after / before:.1%} lower"
            )


def _loss(corpus: Path, seconds: str, *experts: str) -> float:
    """Train in a process of its own, as users do, and return nats per character of the held-out text."""
    output = corpus / ("-".join(experts) or "n-grams")
    command = [sys.executable, "-c", _TRAIN, str(corpus), str(output), seconds, *experts]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    text = (corpus / "validate.txt").read_text(encoding="utf-8")
    return stateful_pass(TextModel.load(output), text).nats_per_character


if __name__ == "__main__":
    main()
