"""The board and the alert rules name metrics and labels that exist, and leave none out."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.infra.watching.metrics import Failure, Metrics, Result
from models import JobState

FOLDER = Path(__file__).parents[3] / "deploy" / "monitoring"
BOARD = json.loads((FOLDER / "grafana-board.json").read_text())
RULES = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
GIVEN_BY_PROMETHEUS = {"job", "instance", "le"}


def collectors() -> dict[str, Any]:
    """Each time series' name → its collector."""
    return dict(Metrics().registry._names_to_collectors)


def expressions() -> list[str]:
    panels = [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", ())]
    return panels + [rule["expr"] for rule in RULES]


def series(expression: str) -> list[tuple[str, str]]:
    """The metrics of an expression, each with its label matchers."""
    return re.findall(r"\b(pastiche_\w+)(?:\{([^}]*)\})?", expression)


def test_every_metric_and_label_exists() -> None:
    known = collectors()
    for expression in expressions():
        for name, matchers in series(expression):
            assert name in known, f"{name} in {expression}"
            labels = set(re.findall(r"(\w+)\s*=", matchers))
            assert labels <= {*known[name]._labelnames, *GIVEN_BY_PROMETHEUS}, expression


def test_what_is_grouped_by_is_a_label_of_the_metric() -> None:
    for expression in expressions():
        for labels, inner in re.findall(r"by \(([^)]*)\) \((.*)", expression):
            ((name, _),) = series(inner)[:1]
            known = {*collectors()[name]._labelnames, *GIVEN_BY_PROMETHEUS}
            assert {label.strip() for label in labels.split(",")} <= known, expression


def test_every_metric_is_on_the_board() -> None:
    shown = {
        name for panel in BOARD["panels"] for t in panel.get("targets", ()) for name, _ in series(t["expr"])
    }
    metrics = {id(collector): collector for collector in collectors().values()}
    missing = [each._name for each in metrics.values() if not {n for n in shown if n.startswith(each._name)}]
    assert missing == []


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("kind", {"bot", "worker", "read", "write", *Failure}),
        ("result", set(Result)),
        ("state", set(JobState)),
        ("quantile", {"0.5", "0.99", "1"}),
        ("lane", {"quick", "apart", "pretrained"}),
    ],
)
def test_every_value_of_a_label_is_one_that_is_written(label: str, values: set[str]) -> None:
    for expression in expressions():
        for asked in re.findall(rf'\b{label}=~?"([^"$]*)"', expression):
            assert set(asked.split("|")) <= values, expression


def test_the_panels_do_not_cover_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_every_alert_says_how_urgent_it_is_and_stands_in_the_page(root: Path) -> None:
    page = (root / "docs" / "scaling.md").read_text()
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names)) > 8
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["summary"].endswith((".", "?", "log.")), rule["alert"]
        assert f"`{rule['alert']}`" in page, rule["alert"]
