"""The lock files: a hash for everything, no addresses, and in step with pyproject.toml."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Lock file → the extras of pyproject.toml it must satisfy beside the dependencies.
LOCKS = {
    "run.txt": ("bot", "keras"),
    "bot.txt": ("bot",),
    "dev.txt": ("bot", "train", "demo", "dev"),
    "gpu.txt": ("bot", "gpu"),
}
TENSORFLOW = re.compile(r"tensorflow(-cpu)?==")


def entries(path: Path) -> list[tuple[Requirement, list[str]]]:
    """Each locked requirement with its hashes."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    logical = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [
        (Requirement(line.split(" --hash=")[0].strip()), re.findall(r"--hash=(\S+)", line))
        for line in logical
        if line
    ]


def wanted(project: dict[str, Any], extras: Iterable[str]) -> Iterator[Requirement]:
    """The requirements of extras; an extra that names others of the project stands for theirs, too."""
    for requirement in (
        Requirement(line) for extra in extras for line in project["optional-dependencies"][extra]
    ):
        if requirement.name == project["name"]:
            yield from wanted(project, requirement.extras)
        else:
            yield requirement


@pytest.mark.parametrize("lock", [*LOCKS, "docs.txt"])
def test_every_requirement_has_one_version_and_hashes(root: Path, lock: str) -> None:
    for requirement, hashes in entries(root / "requirements" / lock):
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), requirement


@pytest.mark.parametrize("lock", [*LOCKS, "docs.txt"])
def test_a_lock_names_no_address_and_no_option(root: Path, lock: str) -> None:
    text = (root / "requirements" / lock).read_text()
    assert "://" not in text
    assert [line for line in text.splitlines() if line.startswith("-")] == []


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items())
def test_a_lock_satisfies_pyproject(root: Path, lock: str, extras: tuple[str, ...]) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    locked: dict[str, list[str]] = {}
    for requirement, _ in entries(root / "requirements" / lock):
        version = str(requirement.specifier).removeprefix("==")
        locked.setdefault(canonicalize_name(requirement.name), []).append(version)
    for wish in [*map(Requirement, project["dependencies"]), *wanted(project, extras)]:
        versions = locked.get(canonicalize_name(wish.name), [])
        assert versions, f"{wish} is not in {lock}: run `make lock`"
        assert all(wish.specifier.contains(version) for version in versions), f"{wish} against {versions}"


@pytest.mark.parametrize("lock", ["run.txt", "bot.txt", "gpu.txt"])
def test_what_runs_is_what_was_tested(root: Path, lock: str) -> None:
    """The same versions. A test tool may need a package on more platforms than the program does."""
    tested, runs = (
        {
            f"{requirement.name}{requirement.specifier}"
            for requirement, _ in entries(root / "requirements" / name)
        }
        for name in ("dev.txt", lock)
    )
    # TensorFlow's build without CUDA has another name; `make lock` gives it the same version.
    tested |= {line.replace("tensorflow==", "tensorflow-cpu==") for line in tested}
    assert {line for line in runs - tested if not line.startswith("nvidia-")} == set()


def test_tensorflow_without_cuda_is_what_an_image_without_a_gpu_gets(root: Path) -> None:
    def of(lock: str) -> set[str]:
        lines = (root / "requirements" / lock).read_text().splitlines()
        return {line.rstrip(" \\") for line in lines if TENSORFLOW.match(line)}

    (tested,) = of("dev.txt")
    version = tested.removeprefix("tensorflow==")
    assert of("run.txt") == {
        f"tensorflow-cpu=={version} ; platform_machine == 'x86_64'",
        f"tensorflow=={version} ; platform_machine != 'x86_64'",
    }
    assert of("gpu.txt") == {tested}
    assert of("bot.txt") == set()


def test_the_site_is_built_beside_the_program_without_another_version_of_anything(root: Path) -> None:
    """`make docs` installs into the environment that the tests run in."""
    locks = {name: entries(root / "requirements" / name) for name in ("dev.txt", "docs.txt")}
    versions = {
        name: {(requirement.name, str(requirement.specifier)) for requirement, _ in locked}
        for name, locked in locks.items()
    }
    shared = {name for name, _ in versions["dev.txt"]} & {name for name, _ in versions["docs.txt"]}
    assert "click" in shared
    assert {each for each in versions["docs.txt"] - versions["dev.txt"] if each[0] in shared} == set()
    asked = (root / "requirements" / "docs.in").read_text().splitlines()
    wished = {Requirement(line).name for line in asked if line and not line.startswith("#")}
    assert wished <= {name for name, _ in versions["docs.txt"]}


def test_the_build_backend_is_locked(root: Path) -> None:
    """`pip install --no-build-isolation .` must need nothing beside the lock, in the image too."""
    required = map(
        Requirement, tomllib.loads((root / "pyproject.toml").read_text())["build-system"]["requires"]
    )
    for lock in LOCKS:
        locked = {requirement.name: requirement for requirement, _ in entries(root / "requirements" / lock)}
        for backend in required:
            assert backend.name in locked, f"{backend} is not in {lock}"


def test_what_the_image_builds_with_is_what_pyproject_asks_for(root: Path) -> None:
    asked = tomllib.loads((root / "pyproject.toml").read_text())["build-system"]["requires"]
    lines = (root / "requirements" / "build.in").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == asked


@pytest.mark.slow
def test_the_bot_needs_nothing_that_its_image_leaves_out(root: Path, tmp_path: Path) -> None:
    """Every module but those of trainings is imported where the packages that are left out are absent."""
    locked = {
        name: {requirement.name for requirement, _ in entries(root / "requirements" / name)} for name in LOCKS
    }
    missing = {canonicalize_name(name) for name in locked["run.txt"] - locked["bot.txt"]}
    assert {"keras", "tensorflow", "tokenizers", "h5py"} <= missing
    tops = [
        top
        for top, names in packages_distributions().items()
        if {canonicalize_name(name) for name in names} <= missing
    ]
    script = tmp_path / "import_all.py"
    script.write_text(IMPORT_ALL)
    done = subprocess.run(
        [sys.executable, script, *sorted(tops)],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert int(done.stdout) > 200


IMPORT_ALL = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

sys.meta_path.insert(0, Absent())
# What trains, what makes a benchmark or a simulation, what a process runs as its main module, compiled code.
NOT_THERE = ("textgen.training", "textgen.benchmark", "bot.demo", "migrations.env", "migrations.versions")
count = 0
for package in ("bot", "models", "migrations", "textgen"):
    for module in pkgutil.walk_packages([package], f"{package}."):
        name = module.name
        if name.startswith(NOT_THERE) or "keras_layer" in name or "._" in name:
            continue
        importlib.import_module(name)
        count += 1
print(count)
"""
