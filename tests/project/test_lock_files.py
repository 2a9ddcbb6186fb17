"""The lock files: a hash for everything, no addresses, and in step with pyproject.toml."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Lock file → the extras of pyproject.toml it must satisfy beside the dependencies.
LOCKS = {"run.txt": (), "dev.txt": ("demo", "dev"), "gpu.txt": ("gpu",)}


def entries(path: Path) -> list[tuple[Requirement, list[str]]]:
    """Each locked requirement with its hashes."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    logical = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [
        (Requirement(line.split(" --hash=")[0].strip()), re.findall(r"--hash=(\S+)", line))
        for line in logical
        if line
    ]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_has_one_version_and_hashes(root: Path, lock: str) -> None:
    for requirement, hashes in entries(root / "requirements" / lock):
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_option(root: Path, lock: str) -> None:
    text = (root / "requirements" / lock).read_text()
    assert "://" not in text
    assert [line for line in text.splitlines() if line.startswith("-")] == []


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items())
def test_a_lock_satisfies_pyproject(root: Path, lock: str, extras: tuple[str, ...]) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(r for extra in extras for r in project["optional-dependencies"][extra]),
    ]
    locked: dict[str, list[str]] = {}
    for requirement, _ in entries(root / "requirements" / lock):
        version = str(requirement.specifier).removeprefix("==")
        locked.setdefault(canonicalize_name(requirement.name), []).append(version)
    for wish in map(Requirement, wanted):
        versions = locked.get(canonicalize_name(wish.name), [])
        assert versions, f"{wish} is not in {lock}: run `make lock`"
        assert all(wish.specifier.contains(version) for version in versions), f"{wish} against {versions}"


@pytest.mark.parametrize("lock", ["run.txt", "gpu.txt"])
def test_what_runs_is_what_was_tested(root: Path, lock: str) -> None:
    """The same versions. A test tool may need a package on more platforms than the program does."""
    tested, runs = (
        {
            f"{requirement.name}{requirement.specifier}"
            for requirement, _ in entries(root / "requirements" / name)
        }
        for name in ("dev.txt", lock)
    )
    assert {line for line in runs - tested if not line.startswith("nvidia-")} == set()


def test_the_build_backend_is_locked(root: Path) -> None:
    """`pip install --no-build-isolation .` must need nothing beside the lock, in the image too."""
    required = map(
        Requirement, tomllib.loads((root / "pyproject.toml").read_text())["build-system"]["requires"]
    )
    for lock in LOCKS:
        locked = {requirement.name: requirement for requirement, _ in entries(root / "requirements" / lock)}
        for backend in required:
            assert backend.name in locked, f"{backend} is not in {lock}"
