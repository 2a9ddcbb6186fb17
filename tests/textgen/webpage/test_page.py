"""A page in Chromium, opened from its file: what it writes, its link and its buttons; it asks nobody."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from tests.support import needs
from tests.support.needs import CHROMIUM
from tests.support.textgen.pages import counted_bundle, page_at
from tests.textgen.conftest import prose
from textgen.model import TextModel
from textgen.sampling import SamplingSettings

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@contextlib.asynccontextmanager
async def opened(page: Path, fragment: str = "") -> AsyncIterator[Page]:
    """Open a page's file; at the end, it asked for nothing else, and nothing was refused or failed."""
    asked: list[str] = []
    faults: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = await browser.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: faults.append(message.text))
        tab.on("pageerror", lambda error: faults.append(str(error)))
        await tab.goto(page.as_uri() + fragment)
        yield tab
        await browser.close()
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
    assert not faults


async def done(tab: Page) -> str:
    # The page's policy forbids what Playwright would evaluate to wait for an expression.
    await tab.locator("#status", has_text="Done").wait_for()
    return str(await tab.evaluate("document.getElementById('text').textContent"))


@needs.chromium
async def test_a_link_gives_the_text_that_the_library_writes(tmp_path: Path) -> None:
    bundle = counted_bundle(prose(200))
    page, model = page_at(tmp_path / "page.html", bundle), TextModel(bundle)
    async with opened(page, "#seed=The+%3Cb%3Eking&temperature=0.9&random=12&length=400") as tab:
        sample = model.sample("The <b>king", SamplingSettings(length=400, temperature=0.9, random_seed=12))
        assert await done(tab) == sample.seed + sample.text
        assert await tab.input_value("#seed") == "The <b>king"
        await tab.fill("#temperature", "0.4")
        await tab.fill("#length", "90")
        await tab.click("#write")
        cooler = model.sample("The <b>king", SamplingSettings(length=90, temperature=0.4, random_seed=12))
        assert await done(tab) == cooler.seed + cooler.text
        link = await tab.get_attribute("#link", "href")
        assert link == "#seed=The+%3Cb%3Eking&temperature=0.4&random=12&length=90"
        assert (await tab.evaluate("location.hash")) == link


@needs.chromium
@pytest.mark.slow
async def test_a_page_writes_when_it_is_opened_pauses_and_takes_another_random_seed(tmp_path: Path) -> None:
    async with opened(page_at(tmp_path / "page.html", counted_bundle(prose(200)))) as tab:
        first, drawn = await done(tab), await tab.input_value("#random")
        assert len(first) > 400
        await tab.fill("#length", "1000000")
        await tab.click("#another")
        assert await tab.input_value("#random") != drawn
        await tab.click("#pause")
        assert (await tab.text_content("#status") or "").startswith("Paused after ")
        assert await tab.text_content("#pause") == "Go on"
        held = await tab.text_content("#written")
        await tab.wait_for_timeout(150)
        assert await tab.text_content("#written") == held
        await tab.click("#pause")
        await tab.locator("#status", has_text="Writing").wait_for()
        await tab.wait_for_timeout(150)
        assert len(await tab.text_content("#written") or "") > len(held or "")


@needs.chromium
async def test_a_random_seed_that_is_no_number_is_refused_by_its_field(tmp_path: Path) -> None:
    async with opened(page_at(tmp_path / "page.html", counted_bundle(prose(50))), "#random=x") as tab:
        await tab.locator("#random:focus").wait_for()
        assert await tab.text_content("#written") == ""


@needs.chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.slow
async def test_what_is_read_has_contrast_in_both_themes(tmp_path: Path, scheme: str) -> None:
    async with opened(page_at(tmp_path / "page.html", counted_bundle(prose(50)))) as tab:
        await tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for selector in ("#text", "label", "#status", "#write", "footer dd", "#link"):
            assert await tab.evaluate(_CONTRAST, selector) >= 4.5, selector
        unnamed = (
            "[...document.querySelectorAll('input, textarea')].filter(field => !field.labels.length).length"
        )
        assert await tab.evaluate(unnamed) == 0


# WCAG 2's contrast ratio of an element's text to the colour behind it.
_CONTRAST = """selector => {
  const light = (colour) => {
    const parts = colour.match(/[0-9.]+/g).map(Number);
    const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = parts.map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const element = document.querySelector(selector);
  let behind = element;
  while (behind && /, 0\\)$/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
  const colours = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
  const two = colours.map(light).sort((a, b) => b - a);
  return (two[0] + 0.05) / (two[1] + 0.05);
}"""
