"""What CONTRIBUTING.md and the files around it promise to people who want to help."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import textgen
from tests.support.make import make

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```sh\n(.*?)^ *```", GUIDE, flags=re.MULTILINE | re.DOTALL)
LINES = [line.strip() for block in BLOCKS for line in block.splitlines()]
MAKE = [*(line for line in LINES if line.startswith("make ")), *re.findall(r"`(make [^`]+)`", GUIDE)]
PYTEST = ".venv/bin/python -m pytest "
# Tested where it is at home: tests/bot/i18n and tests/project/test_makefile.py.
ELSEWHERE = {".venv/bin/python -m bot.catalogues.update", ".ci/run"}
YAML = (
    ".pre-commit-config.yaml",
    ".github/workflows/check.yml",
    ".github/ISSUE_TEMPLATE/bug.yml",
    ".github/ISSUE_TEMPLATE/idea.yml",
)


def test_every_command_is_of_a_kind_that_is_tested() -> None:
    assert len(LINES) >= 10
    known = ("make ", PYTEST)
    assert [line for line in LINES if not line.startswith(known) and line not in ELSEWHERE] == []


@pytest.mark.parametrize("line", MAKE)
def test_the_make_commands_exist(line: str) -> None:
    done = subprocess.run(
        [*shlex.split(line), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith(PYTEST)])
@pytest.mark.slow
def test_the_tests_that_it_names_are_there(line: str) -> None:
    arguments = shlex.split(line.removeprefix(PYTEST))
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_that_it_names_is_there() -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", GUIDE)
    named = re.findall(r"`((?:bot|textgen|models|migrations|tests|docs|\.ci)/[^`]*)`", GUIDE)
    assert {"CHANGELOG.md", "docs/architecture.md"} <= set(linked)
    assert [path for path in {*linked, *named} if not list(ROOT.glob(path.rstrip("/")))] == []


def test_readers_find_it() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "(CONTRIBUTING.md)" in readme
    assert "(docs/architecture.md)" in readme
    assert "(CODE_OF_CONDUCT.md)" in GUIDE


@pytest.mark.parametrize("path", YAML)
def test_the_yaml_can_be_read(path: str) -> None:
    assert isinstance(yaml.safe_load((ROOT / path).read_text(encoding="utf-8")), dict)


def test_the_forms_have_what_github_asks_of_them() -> None:
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert {"name", "description", "body"} <= set(form)
        ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
        assert len(set(ids)) == len(ids) > 0
        assert all(part["attributes"].get("label") for part in form["body"] if part["type"] != "markdown")


def test_ci_runs_the_same_check_as_people_do_on_every_supported_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    supported = [each.split(" :: ")[-1] for each in classifiers if re.search(r":: 3\.\d+$", each)]
    assert job["strategy"]["matrix"]["python"] == [supported[0], supported[-1]]


def test_the_hooks_are_those_of_make_lint_and_need_no_other_repository() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    lint = make(ROOT, "lint", "--dry-run", "READY=")
    assert lint.returncode == 0, lint.stderr
    linted = {Path(tool).name for tool in re.findall(r"^\.venv/bin/\S+", lint.stdout, re.MULTILINE)}
    hooks = {Path(hook["entry"].split()[0]).name for hook in repository["hooks"]}
    assert hooks == linted
    assert all(hook["language"] == "system" for hook in repository["hooks"])


def test_the_version_is_the_same_in_both_places_of_a_release() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == textgen.__version__


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that a migration is made from, with a column that no migration knows yet."""
    for name in ("migrations", "models"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", tmp_path)
    with (tmp_path / "models" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("import sqlalchemy as sa\n")
        file.write("TrainingJob.__table__.append_column(sa.Column('mood', sa.Text))\n")
    return tmp_path


def migration(checkout: Path, message: str) -> subprocess.CompletedProcess[str]:
    """`make migration` with the programs of this environment in the place of .venv's."""
    return make(checkout, "migration", f"MESSAGE={message}", f"BIN={Path(sys.executable).parent}", "READY=")


@pytest.mark.slow
def test_make_migration_writes_what_the_tables_have_and_the_migrations_lack(checkout: Path) -> None:
    before = set((checkout / "migrations" / "versions").glob("*.py"))
    done = migration(checkout, 'add a "mood"')
    assert done.returncode == 0, done.stdout + done.stderr
    (new,) = set((checkout / "migrations" / "versions").glob("*.py")) - before
    assert str(new) == done.stdout.splitlines()[-1]
    assert new.stem.endswith("_add_a_mood")
    text = new.read_text(encoding="utf-8")
    assert "add_column" in text
    assert "drop_column" in text
    assert text.count("'mood'") + text.count('"mood"') >= 2


def test_make_migration_without_a_message_says_what_it_needs(checkout: Path) -> None:
    done = migration(checkout, " ")
    assert done.returncode == 2
    assert 'make migration MESSAGE="' in done.stderr
