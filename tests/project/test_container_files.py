"""Dockerfile and compose.yaml, as far as they can be checked without a container engine.

`deploy/test_compose.py` checks what all compose files have in common.
"""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml

from bot.infra.version import DISTRIBUTION

BOT = "distributions/pastiche-bot"


@pytest.fixture(scope="module")
def instructions(root: Path) -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order: (name, arguments)."""
    text = re.sub(r"^\s*#.*\n", "", (root / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(name, arguments) for name, _, arguments in (line.partition(" ") for line in lines)]


def stages(instructions: list[tuple[str, str]]) -> list[str]:
    return [arguments.split(" AS ")[1] for name, arguments in instructions if name == "FROM"]


def copied(instructions: list[tuple[str, str]]) -> set[str]:
    """What the build takes from the build context."""
    lists = [arguments.split() for name, arguments in instructions if name == "COPY"]
    return {source for words in lists if not words[0].startswith("--from") for source in words[:-1]}


def arguments_of(instructions: list[tuple[str, str]], name: str) -> list[str]:
    return next(json.loads(arguments) for word, arguments in instructions if word == name)


def test_everything_copied_exists_and_reaches_the_build(
    root: Path, instructions: list[tuple[str, str]]
) -> None:
    let_in = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for source in copied(instructions):
        assert (root / source).exists(), source
        assert Path(source).parts[0] in let_in, f"{source} is kept out by .dockerignore"


def test_every_package_of_the_distributions_is_copied_and_installed(
    root: Path, instructions: list[tuple[str, str]]
) -> None:
    needed = {"distributions"}
    for project in (root, root / BOT):
        setuptools = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["setuptools"]
        needed |= {pattern.rstrip("*") for pattern in setuptools["packages"]["find"]["include"]}
    assert needed <= copied(instructions)
    installed = [arguments for name, arguments in instructions if name == "RUN" and "--no-deps" in arguments]
    assert len(installed) == 3
    assert all(arguments.endswith(f" . ./{BOT}") for arguments in installed)


def test_the_default_image_is_the_cpu_one(instructions: list[tuple[str, str]]) -> None:
    assert {"gpu", "bot"} <= set(stages(instructions))
    assert stages(instructions)[-1] == "cpu"


def test_the_base_is_pinned_and_the_user_is_not_root(instructions: list[tuple[str, str]]) -> None:
    for name, arguments in instructions:
        if name == "FROM" and arguments.split()[0] not in (*stages(instructions), "scratch"):
            assert re.fullmatch(r"python:3\.\d+-slim-\w+ AS \w+", arguments)
    user = next(arguments for name, arguments in instructions if name == "USER")
    assert int(user.split(":")[0]) > 0


def test_data_lies_in_the_volume(instructions: list[tuple[str, str]]) -> None:
    volume = next(arguments for name, arguments in instructions if name == "VOLUME")
    environment = " ".join(arguments for name, arguments in instructions if name == "ENV")
    assert f"PASTICHE_DATA_DIR={volume}" in environment.split()


def test_the_image_starts_and_checks_commands_that_exist(instructions: list[tuple[str, str]]) -> None:
    (program,) = arguments_of(instructions, "ENTRYPOINT")
    (command,) = arguments_of(instructions, "CMD")
    health = next(arguments for name, arguments in instructions if name == "HEALTHCHECK")
    health_program, health_command = json.loads(health.partition("CMD ")[2])
    assert program == health_program

    (script,) = distribution(DISTRIBUTION).entry_points.select(group="console_scripts", name=program)
    assert callable(script.load())
    listing = subprocess.run(
        [sys.executable, "-m", script.module.removesuffix(".__main__"), "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for word in (command, health_command):
        assert re.search(rf"^\W*{word}\b", listing, re.MULTILINE), f"`{program} --help` does not list {word}"


def test_compose_builds_what_the_dockerfile_makes(root: Path, instructions: list[tuple[str, str]]) -> None:
    services = yaml.safe_load((root / "compose.yaml").read_text())["services"]
    default = {name for name, service in services.items() if "profiles" not in service}
    assert default == {"bot"}
    assert services["bot"]["env_file"] == ".env"
    assert services["bot"]["restart"] == "unless-stopped"
    for service in services.values():
        if "build" in service:
            assert service["build"]["target"] in stages(instructions)
            assert any(volume.endswith(":/data") for volume in service["volumes"])


def test_what_the_bot_writes_lies_in_the_volume(root: Path, instructions: list[tuple[str, str]]) -> None:
    """With a read-only root, home must be writable: libraries keep caches there."""
    (user,) = [arguments for name, arguments in instructions if name == "RUN" and "useradd" in arguments]
    assert "--home-dir /data" in user
    environment = " ".join(arguments for name, arguments in instructions if name == "ENV").split()
    assert "PYTHONDONTWRITEBYTECODE=1" in environment
