"""The same training on every backend of Keras, each in a process of its own: Keras has one for good."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import needs
from tests.textgen.inference.test_parity import TOLERANCE
from textgen.training import backend

ROOT = Path(__file__).parents[3]


@pytest.fixture(
    scope="module",
    params=[
        # The development lock brings these two, so they are never skipped.
        "tensorflow",
        "jax",
        pytest.param("torch", marks=needs.torch),
    ],
)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the trainings of one backend came to."""
    from tests.textgen.conftest import prose

    folder = tmp_path_factory.mktemp(request.param)
    (folder / "input.txt").write_text(prose(700), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.textgen.backend_child", str(folder)],
        env={**os.environ, "KERAS_BACKEND": request.param},
        cwd=ROOT, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["backend"] == request.param
    return dict(told)


@pytest.mark.slow
def test_every_backend_learns_resumes_exactly_and_is_served_by_numpy(trained: dict[str, Any]) -> None:
    for cell in ("linear", "lstm"):
        told = trained[cell]
        assert told["loss"] < told["uniform"] / 1.5
        assert told["differing"] == 0
        assert told["logits"] <= TOLERANCE


@pytest.mark.slow
def test_mixed_precision_learns_as_well_and_keeps_32_bit_weights(trained: dict[str, Any]) -> None:
    """Forced here; in earnest it is for GPUs only."""
    mixed = trained["mixed"]
    assert mixed["loss"] == pytest.approx(trained["linear"]["loss"], rel=0.1)
    assert mixed["loss"] != trained["linear"]["loss"]
    assert mixed["types"] == ["float32"]
    assert mixed["rounded"] < 0.05


@pytest.mark.parametrize(
    ("capability", "products"),
    [("9.0", "bfloat16"), ("7.5", "float32"), ("gfx90a", "bfloat16"), (None, "bfloat16")],
)
def test_products_suit_what_the_accelerator_says_of_itself(
    monkeypatch: pytest.MonkeyPatch, capability: str | None, products: str
) -> None:
    """The two modules are stand-ins: no machine has all of these accelerators."""
    device = SimpleNamespace(platform="gpu", device_kind="a GPU", compute_capability=capability)
    keras = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(devices=lambda: [device]))
    assert backend.products() == products
    assert backend.device() == "gpu (a GPU)"


@pytest.mark.slow
def test_a_cpu_computes_in_32_bits() -> None:
    backend.load()
    if backend.device() != "cpu":
        pytest.skip("there is a GPU")
    assert backend.products() == "float32"
