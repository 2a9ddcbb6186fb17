"""`textgen export MODEL --html FILE`."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.textgen.bundles import random_bundle
from tests.support.textgen.pages import counted_bundle
from tests.textgen.conftest import prose
from textgen import bundle as bundles
from textgen.cli import cli
from textgen.cli.common.bundles import name_of
from textgen.errors import BundleError


def export(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["export", *map(str, arguments)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    bundles.write(tmp_path / "plays" / "model", counted_bundle(prose(50)))
    return tmp_path / "plays"


def test_the_page_names_its_model_its_licence_and_its_origin_as_text(model: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = export(model, "--html", page, "--licence", "CC0 <1.0>", "--origin", "$home & garden")
    assert done.exit_code == 0, done.output
    html = page.read_text(encoding="utf-8")
    assert "<title>plays</title>" in html
    assert "CC0 &lt;1.0&gt;; the page" in html
    assert "$home &amp; garden" in html
    assert f"{page} is written, " in done.output
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-inline" not in policy[1]
    assert not re.search(r"(src|href)=\"?(https?:)?//", html)


@pytest.mark.parametrize(
    ("bundle", "name"), [("/plays", "plays"), ("/texts/plays/model", "plays"), ("/model", "model")]
)
def test_a_model_is_called_like_its_folder_or_that_of_its_text(bundle: str, name: str) -> None:
    assert name_of(Path(bundle)) == name


def test_a_file_is_overwritten_only_if_it_is_asked_for(model: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    refused = export(model, "--html", page)
    assert isinstance(refused.exception, BundleError)
    assert "is there already" in str(refused.exception)
    assert page.read_text() == "mine"
    assert export(model, "--html", page, "--force").exit_code == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_another_cell_gets_one_line_that_says_which_do(tmp_path: Path) -> None:
    bundles.write(tmp_path / "model", random_bundle("lstm"))
    refused = export(tmp_path / "model", "--html", tmp_path / "page.html")
    assert str(refused.exception) == (
        "this is a model of chars with the cell lstm; a page holds models of chars with the cell linear"
    )
    assert not (tmp_path / "page.html").exists()
