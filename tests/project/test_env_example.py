""".env.example names every setting with its default and one line about it."""

import itertools
import re
from pathlib import Path

import pytest
from pydantic import AliasChoices

from bot.settings import Settings

ASSIGNMENT = re.compile(r"#?([A-Z][A-Z0-9_]*)=(.*)")


def variable_of(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return next(str(name) for name in alias.choices if str(name).isupper())
    return f"{Settings.model_config['env_prefix']}{field}".upper()


@pytest.fixture
def lines(root: Path) -> list[str]:
    return (root / ".env.example").read_text().splitlines()


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(variable_of(field), raising=False)
    monkeypatch.chdir(tmp_path)


def test_it_names_every_setting_and_no_other(lines: list[str]) -> None:
    named = [match[1] for match in map(ASSIGNMENT.fullmatch, lines) if match]
    assert sorted(named) == sorted(map(variable_of, Settings.model_fields))


@pytest.mark.usefixtures("bare_environment")
def test_its_values_are_the_defaults(lines: list[str], tmp_path: Path) -> None:
    uncommented = tmp_path / "all.env"
    uncommented.write_text(
        "\n".join(match[0].lstrip("#") for match in map(ASSIGNMENT.fullmatch, lines) if match)
    )
    assert Settings(_env_file=uncommented) == Settings(_env_file=None)


@pytest.mark.usefixtures("bare_environment")
def test_it_can_be_used_as_it_is(root: Path) -> None:
    assert Settings(_env_file=root / ".env.example") == Settings(_env_file=None)


def test_a_line_stands_above_each_setting(lines: list[str]) -> None:
    for above, line in itertools.pairwise(lines):
        if ASSIGNMENT.fullmatch(line):
            assert re.match(r"# \S.*\.$", above), f"no line about {line}"


def test_no_message_and_no_page_names_a_setting_that_is_not_there(root: Path) -> None:
    aliases = (field.validation_alias for field in Settings.model_fields.values())
    earlier = {str(name) for alias in aliases if isinstance(alias, AliasChoices) for name in alias.choices}
    known = set(map(variable_of, Settings.model_fields)) | earlier
    pages = [path for pattern in ("*.md", "docs/**/*.md", "compose*") for path in root.glob(pattern)]
    deployed = [path for path in (root / "deploy").rglob("*") if path.is_file()]
    places = [*(root / "bot").rglob("*.py"), *pages, *deployed]
    named = {
        (name, path.name)
        for path in places
        for name in re.findall(r"\bPASTICHE_[A-Z][A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8"))
    }
    assert {(name, where) for name, where in named if name not in known} == set()
    assert named, "none was found"
