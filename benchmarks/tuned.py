"""Figures of sampling from a fine-tuned base: start, memory, tokens a second against what the memory allows.

Without a base on this host (``make setup-base``) there are none, and a line says so.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.library import sampler_megabytes
from textgen.benchmark.processes import median_of, seconds_to_first_output
from textgen.benchmark.speeds import memory_gigabytes
from textgen.corpus.shakespeare import plays
from textgen.host.cores import usable
from textgen.model import TextModel
from textgen.pretrained import store
from textgen.sampling import SamplingSettings

TEXTS = 8
_CHARACTERS = 50_000
_TRAINING_S = 60
"""Enough for steps: without one, the model has no adapter to speak of."""
_TOKENS = 128
_RUNS = 5


def run() -> list[Figure]:
    """Fine-tune the first base of this host for a minute, and measure with that model."""
    base = next((entry for entry in store.entries() if not entry.error), None)
    if base is None:
        print("no base on this host: `make setup-base` adds one", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory(prefix="textgen-bench-") as folder:
        bundle = _trained(Path(folder), base.name)
        sample = ["textgen", "sample", "--model", str(bundle), "--length", "1"]
        model = TextModel.load(bundle)
        cores = min(2, usable())  # a batch is shared between two
        # In turns, because a shared machine's speed changes from minute to minute.
        alone, together, of_one, of_all = zip(
            *(
                (
                    tokens_a_second(model, 1),
                    tokens_a_second(model, TEXTS),
                    memory_gigabytes(),
                    memory_gigabytes(cores),
                )
                for _ in range(_RUNS)
            ),
            strict=True,
        )
        one, many = _median(alone), _median(together)
        allowed, allowed_all = (_median(speeds) * 1e9 / base.nbytes for speeds in (of_one, of_all))
        share = "… of what reading the weights once a token allows"
        return [
            Figure(
                f"{base.name}: process start to first text",
                median_of(lambda: seconds_to_first_output(sample)),
                "s",
                "≤ 1.5",
            ),
            Figure(f"{base.name}: memory of a sampler", sampler_megabytes(bundle), "MB", "≤ 350"),
            Figure(f"{base.name}: one text", one, "tokens/s"),
            Figure(share, one / allowed, "", "≥ 0.5"),
            Figure(f"{base.name}: {TEXTS} texts", many, "tokens/s"),
            Figure(share, many / allowed, "", "≥ 2"),
            Figure(f"{share} {cores} cores", many / allowed_all, ""),
        ]


def _median(speeds: Sequence[float]) -> float:
    return sorted(speeds)[len(speeds) // 2]


def tokens_a_second(model: TextModel, texts: int) -> float:
    """Return the tokens a second that a model writes, all texts together."""
    engine = model.engine()
    for number in range(texts):
        request = model.request("The ", SamplingSettings(100 * _TOKENS, 0.7, number))[0]
        request.limit_tokens(_TOKENS)
        engine.submit(request)
    begun = time.monotonic()
    while not engine.idle:
        engine.step()
    return texts * _TOKENS / (time.monotonic() - begun)


def _trained(folder: Path, base: str) -> Path:
    corpus, bundle = folder / "corpus.txt", folder / "model"
    corpus.write_text(plays()[0][:_CHARACTERS], encoding="utf-8")
    command = [sys.executable, "-m", "textgen", "train", str(corpus), "--output", str(bundle), "--base", base]
    subprocess.run([*command, "--time-limit", str(_TRAINING_S)], check=True, stdout=subprocess.DEVNULL)
    return bundle
