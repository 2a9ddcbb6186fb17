"""Wheels for installations without a network: the project's own, and this environment's, packed again.

A package that is installed from here comes with the files and the requirements that its wheel had. So an
installation resolves and behaves as it would from the registry with the locked versions.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_INSTALLED_ONLY = {"INSTALLER", "REQUESTED", "direct_url.json"}


def build(checkout: Path, distributions: Iterable[str], target: Path) -> list[Path]:
    """Build the wheels of a checkout's distributions, as `make wheels` does.

    Args:
        checkout: the project's folder, without what earlier builds left.
        distributions: their folders in it.
        target: where the wheels go.
    """
    projects = [f"./{each}" for each in distributions]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(target)]
    command = [sys.executable, "-m", "pip", "wheel", *options, *projects]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return sorted(target.glob("*.whl"))


def copy_of(root: Path, files: Iterable[str], target: Path) -> Path:
    """Copy the project's files as a fresh clone has them: links stay links."""
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target / name, follow_symlinks=False)
    return target


def closure(names: Iterable[str]) -> set[str]:
    """Return the names of installed distributions with everything that they require."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    done: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        if str(wanted) in done:
            continue
        done.add(str(wanted))
        found.add(canonicalize_name(wanted.name))
        for line in distribution(wanted.name).requires or ():
            needed = Requirement(line)
            extras = wanted.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)
    return found


def pack(names: Iterable[str], target: Path) -> None:
    """Pack installed distributions as wheels."""
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        _pack(distribution(name), target)


def _pack(installed: Distribution, target: Path) -> None:
    about = (installed.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag: ").split("-") for line in about if line.startswith("Tag: ")]
    tag = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    name = installed.metadata["Name"].replace("-", "_").replace(".", "_")
    # Nothing is compressed: the wheels are read once.
    with zipfile.ZipFile(target / f"{name}-{installed.version}-{tag}.whl", "w") as wheel:
        for file in installed.files or ():
            kept = ".." not in file.parts and "__pycache__" not in file.parts
            if kept and file.name not in _INSTALLED_ONLY:
                wheel.write(str(installed.locate_file(file)), str(file))
