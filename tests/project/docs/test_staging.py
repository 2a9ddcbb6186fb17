"""What the site is made of: pages of the repository whose links stay inside, and the reference."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

import textgen
from bot.cli import main as pastiche
from bot.settings import Settings
from docs.make_pictures import DIAGRAM, LARGEST_BYTES, PICTURES
from docs.site import command_reference, library_reference, slash_reference, staging
from tests.project.test_env_example import variable_of
from tests.support.documents import ROOT
from textgen.cli import cli

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("pages")
    staging.stage(ROOT, target)
    return target


def test_a_file_that_a_page_links_to_becomes_a_page(staged: Path) -> None:
    page = (staged / "scaling.md").read_text(encoding="utf-8")
    assert "](files/deploy/compose/stage-2-yaml.md)" in page
    assert "services:" in (staged / "files/deploy/compose/stage-2-yaml.md").read_text(encoding="utf-8")
    listing = (staged / "files/deploy/systemd/index.md").read_text(encoding="utf-8")
    assert "[`pastiche.service`](pastiche-service.md)" in listing
    assert (staged / "files/deploy/systemd/pastiche-service.md").exists()
    assert "DISCORD_TOKEN" in (staged / "files/env-example.md").read_text(encoding="utf-8")


def test_a_link_that_leads_nowhere_ends_the_build_with_its_page() -> None:
    source = DOCS / "tutorial.md"
    with pytest.raises(staging.StagingError, match=r"docs/tutorial.md links to gone.md, which is not there"):
        staging.staged("[here](gone.md)", source, Path("site/tutorial.md"), ROOT, Path("site"))


def test_code_stays_as_it_is_and_pictures_of_other_hosts_are_left_out() -> None:
    text = "`[a](b)` ![badge](https://badges.test/x.svg) [site](https://docs.test)\n\n```sh\n[c](d)\n```\n"
    made, linked = staging.staged(text, DOCS / "index.md", Path("site/index.md"), ROOT, Path("site"))
    assert made == text.replace("![badge](https://badges.test/x.svg)", "")
    assert not linked


def test_the_diagrams_of_the_pages_have_pictures_and_the_pictures_are_small(staged: Path) -> None:
    for path in DOCS.rglob("*.md"):
        for source in DIAGRAM.findall(path.read_text(encoding="utf-8")):
            assert (PICTURES / staging.diagram_name(source)).exists(), f"{path}: python -m docs.make_pictures"
    assert "mermaid" not in (staged / "architecture.md").read_text(encoding="utf-8")
    assert {path.name for path in PICTURES.iterdir() if path.stat().st_size > LARGEST_BYTES} == set()
    pages = "".join(path.read_text(encoding="utf-8") for path in staged.rglob("*.md"))
    assert [path.name for path in PICTURES.glob("*.png") if path.name not in pages] == []


def test_every_page_has_its_place_in_the_navigation(staged: Path) -> None:
    text = (DOCS / "zensical.toml").read_text(encoding="utf-8")
    nav = str(tomllib.loads(text)["project"]["nav"])
    pages = {path.relative_to(staged).as_posix() for path in staged.rglob("*.md")}
    assert {page for page in pages if not page.startswith("files/") and f"'{page}'" not in nav} == set()


@pytest.mark.parametrize(("name", "group"), [("textgen", cli), ("pastiche", pastiche)])
def test_the_reference_has_every_command_and_option(name: str, group: click.Group) -> None:
    page = command_reference.commands(name)
    for path, text in command_reference.helps(group, name, None):
        assert text in page, path
    assert page.count("\n## `") == len(group.list_commands(click.Context(group)))


def test_the_reference_has_every_setting() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", command_reference.settings(), flags=re.MULTILINE)
    assert rows == [variable_of(field) for field in Settings.model_fields]
    assert (
        "| `PASTICHE_SAMPLERS` | `1` | 1 to 16 | Sampler processes kept warm. |"
        in command_reference.settings()
    )


def test_the_reference_has_every_public_name_with_its_arguments() -> None:
    page = library_reference.library()
    assert sorted(re.findall(r"^## `textgen\.(\w+)`", page, flags=re.MULTILINE)) == sorted(textgen.__all__)
    assert "- `temperature`: the logits are divided by it." in page
    assert 'encoding_errors: str = "strict",' in page.replace("'", '"')
    assert "### `TextModel.generate`" in page


@pytest.mark.slow
async def test_the_reference_has_every_slash_command(tmp_path: Path) -> None:
    page = await slash_reference.slash_commands(tmp_path)
    for command in ("generate", "train", "models", "jobs", "schedule add", "settings edit", "privacy delete"):
        assert f"## `/{command}`" in page
    assert "| `temperature` | number, 0.0 to 2.0 | no |" in page
    assert "*Continue this*" in page
