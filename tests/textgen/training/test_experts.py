"""Which counted models a training uses, and what it keeps in the end: chosen by measurement, and told."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import textgen
from tests.support.textgen.command import textgen as shell
from textgen import bundle
from textgen.settings.training import TrainingSettings
from textgen.training import start
from textgen.training.checkpoints.progress import Progress
from textgen.training.loop.clock import Clock
from textgen.training.loop.validation import Validation


def passages(many: int, seed: int) -> str:
    """Return passages, three in four of which came before; six of their letters do not tell them apart."""
    known = ["".join(random.Random(n).choices("abc", k=90)) for n in range(12)]
    draw = random.Random(seed)
    return "\n".join(
        draw.choice(known) if draw.random() < 0.75 else "".join(draw.choices("abc", k=60))
        for _ in range(many)
    )


def prose(many: int, seed: int) -> str:
    """Return words of few kinds in any order: no long piece comes twice by plan."""
    words = ["".join(random.Random(n).choices("abcdefghijklmnop", k=2 + n % 7)) for n in range(300)]
    return " ".join(random.Random(seed).choices(words, k=many))


def trained(folder: Path, text: str, held_out: str) -> Path:
    (folder / "input.txt").write_text(text, encoding="utf-8")
    (folder / "validate.txt").write_text(held_out, encoding="utf-8")
    textgen.train(folder, output=folder / "model", time_limit=3)  # no time for a network
    return folder / "model"


def test_long_contexts_are_used_where_a_text_repeats_itself(tmp_path: Path) -> None:
    model = trained(tmp_path, passages(300, seed=1), passages(30, seed=2))
    made = bundle.read(model)
    assert "long" in made.spec.experts
    losses = made.manifest.expert_losses
    assert losses["mixed"] < min(loss for name, loss in losses.items() if name != "mixed")
    # It is served as it was measured: by the compiled step, or by NumPy.
    figures = shell("evaluate", "--model", str(model), str(tmp_path / "validate.txt"), "--json").stdout
    assert f'"nats_per_character": {losses["mixed"]:.2f}'[:-1] in figures
    told = shell("inspect", str(model)).stdout
    assert "of long" in told
    assert "chosen: the counts alone" in told


def test_what_does_not_help_enough_is_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "_WORTH_IT", 0.5)
    model = trained(tmp_path, prose(1_000, seed=1), prose(100, seed=2))
    assert bundle.read(model).spec.experts == ()
    assert "unused: words, long" in shell("inspect", str(model)).stdout


def test_in_long_prose_long_contexts_are_not_even_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "_SHORT", 10_000)
    made = bundle.read(trained(tmp_path, prose(4_000, seed=1), prose(400, seed=2)))
    assert "words" in made.manifest.expert_losses
    assert "long" not in made.manifest.expert_losses


@pytest.mark.parametrize(
    ("network", "counts", "measured_again", "kept"),
    [
        (1.50, 1.60, None, "network"),  # clearly better: nothing is measured again
        (1.70, 1.60, None, "counts"),
        (1.59, 1.60, 1.58, "counts"),  # the counts' first loss was of other positions
        (1.59, 1.60, 1.62, "network"),
        (1.61, 1.60, 1.62, "network"),
        (1.61, 1.60, 1.60, "counts"),
    ],
)
def test_network_and_counts_are_compared_on_the_same_text(
    network: float, counts: float, measured_again: float | None, kept: str
) -> None:
    of_network, of_counts = ({"which": np.array([number])} for number in (1, 2))

    def loss(weights: Any, limit: int) -> float:
        assert weights == of_counts
        assert limit == 40
        assert measured_again is not None
        return measured_again

    judge = SimpleNamespace(loss=loss, tokens=40, final_tokens=400)
    result: Any = SimpleNamespace(
        start=SimpleNamespace(weights=of_counts, loss=counts),
        corpus=SimpleNamespace(validation=np.zeros(100, np.uint16)),
        settings=TrainingSettings.from_flags(),
    )
    progress = Progress()
    progress.validated(counts, 1.0)
    progress.step = 7
    progress.validated(network, 2.0)
    validation = Validation(result, judge, Clock(None, 0.0), Path("checkpoint"), curve=False)
    chosen = validation.choose(of_network, progress)
    assert chosen == (of_network if kept == "network" else of_counts)
    assert progress.best_step == (7 if kept == "network" else 0)
    best = network if kept == "network" else counts if measured_again is None else measured_again
    assert progress.best_loss == best
