"""Optional packages: each has an extra, and one place tells how to get it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from textgen.host import extras

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DISTRIBUTIONS = {"prometheus_client": "prometheus-client", "huggingface_hub": "tokenizers"}


@pytest.mark.parametrize(("package", "extra"), extras.EXTRAS.items())
def test_the_extra_that_is_named_brings_the_package(package: str, extra: str) -> None:
    brought, names = set(), [extra]
    while names:
        for requirement in map(Requirement, PROJECT["optional-dependencies"][names.pop()]):
            brought.add(requirement.name)
            names += requirement.extras if requirement.name == PROJECT["name"] else ()
    assert DISTRIBUTIONS.get(package, package) in brought


def test_a_package_that_is_missing_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    extras.require("click", "this test")
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(extras.MissingPackageError) as told:
        extras.require("tensorboardX", "progress for TensorBoard")
    assert str(told.value) == (
        "progress for TensorBoard needs the package tensorboardX, which is not installed; "
        "run pip install '.[tensorboard]' in a checkout of Pastiche"
    )
    assert (
        told.value.plain == "progress for TensorBoard needs the package tensorboardX, which is not installed"
    )


def test_no_other_module_tells_how_to_install_an_extra() -> None:
    """Names of the registry that look like ours are strangers'."""
    telling = [
        str(path.relative_to(ROOT))
        for top in ("bot", "textgen", "models", "migrations")
        for path in (ROOT / top).rglob("*.py")
        if re.search(r"pip install|pastiche\[|textgen\[", path.read_text(encoding="utf-8"))
    ]
    # PostgreSQL's driver is a package of its own.
    assert sorted(telling) == ["models/connection/engine.py", "textgen/host/extras.py"]


CHOICE = """
import sys
for package in sys.argv[1:]:
    sys.modules[package] = None
from textgen.training import backend
print(backend.missing(), backend._wanted())
"""


@pytest.mark.parametrize(
    ("absent", "missing", "chosen"),
    [
        ((), "None", "tensorflow"),
        (("tensorflow", "torch"), "None", "jax"),
        (("keras",), "keras", "tensorflow"),
        (("tensorflow", "jax", "torch"), "tensorflow", "tensorflow"),
    ],
)
def test_the_backend_is_the_first_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, absent: tuple[str, ...], missing: str, chosen: str
) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    command = [sys.executable, "-c", CHOICE, *absent]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{missing} {chosen}\n"
