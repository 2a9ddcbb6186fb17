"""The built site: every link leads somewhere, no other host is asked, and everybody can read it."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from playwright.async_api import Page, async_playwright

from tests.support import needs
from tests.support.needs import CHROMIUM

pytestmark = [pytest.mark.slow, *needs.site_tools]
BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
HOST = "http://site.test/"


class Read(HTMLParser):
    """What a page consists of, for a reader who cannot see it."""

    def __init__(self) -> None:
        super().__init__()
        self.language = ""
        self.headings: list[int] = []
        self.pictures: list[dict[str, str]] = []
        self.addresses: list[tuple[str, str]] = []
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.classes: set[str] = set()
        self._in_link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.classes |= set(given.get("class", "").split())
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        for name in ("href", "src"):
            if name in given:
                self.addresses.append((tag, given[name]))
        if tag == "html":
            self.language = given.get("lang", "")
        elif tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append(int(tag[1]))
        elif tag == "img":
            self.pictures.append(given)
            if self._in_link:
                self.links[-1] += given.get("alt", "")
        elif tag == "a" and "href" in given:
            self._in_link = True
            self.links.append(given.get("aria-label", "") + given.get("title", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_link = self._in_link and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._in_link:
            self.links[-1] += data.strip()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from docs.site.__main__ import build

    folder = tmp_path_factory.mktemp("docs")
    assert build(folder) == 0
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Read]:
    """Address below the site's root → the page."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        read = Read()
        read.feed(path.read_text(encoding="utf-8"))
        found[path.relative_to(site).as_posix().removesuffix("index.html")] = read
    return found


def test_a_page_has_a_language_one_title_and_headings_in_order(pages: dict[str, Read]) -> None:
    assert len(pages) > 30
    for address, page in pages.items():
        assert page.language == "en", address
        if address == "404.html":
            continue
        assert page.headings.count(1) == 1, address
        steps = zip(page.headings, page.headings[1:], strict=False)
        assert all(below <= above + 1 for above, below in steps), (address, page.headings)


def test_every_picture_and_every_link_can_be_read_out(pages: dict[str, Read]) -> None:
    pictures = [picture for page in pages.values() for picture in page.pictures]
    assert len(pictures) > 6
    for address, page in pages.items():
        assert [picture for picture in page.pictures if len(picture.get("alt", "")) < 20] == [], address
        assert all(text.strip() for text in page.links), address


def test_every_link_leads_to_a_page_and_to_a_place_in_it(site: Path, pages: dict[str, Read]) -> None:
    missing = []
    for here, page in pages.items():
        if here == "404.html":  # it is shown at any address, so its links begin at the root
            continue
        for _, address in page.addresses:
            target = urlsplit(urljoin(HOST + here, address))
            if target.scheme in ("data", "mailto") or f"{target.scheme}://{target.netloc}/" != HOST:
                continue
            path = unquote(target.path.removeprefix("/"))
            if path in pages:
                # "__…" are the theme's own switches.
                if target.fragment and unquote(target.fragment) not in pages[path].anchors:
                    missing.append((here, address))
            elif not (site / path).is_file():
                missing.append((here, address))
    assert missing == []


def test_nothing_is_loaded_from_another_host(pages: dict[str, Read]) -> None:
    loaded = [
        (here, address)
        for here, page in pages.items()
        for tag, address in page.addresses
        if tag != "a" and urlsplit(address).netloc
    ]
    assert loaded == []
    # The theme would load Mermaid's script from elsewhere for these.
    assert not any("mermaid" in page.classes for page in pages.values())


@contextlib.contextmanager
def served(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


async def faults(page: Page) -> list[str]:
    """What axe finds on a page, one line each."""
    from axe_playwright_python.base import AXE_SCRIPT

    # On a busy machine axe would look while colours still change from one to the other.
    await page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    await page.evaluate(AXE_SCRIPT)
    found = await page.evaluate("() => axe.run().then((found) => found.violations)")
    return [f"{each['id']}: {node['html'][:200]} {json.dumps(node['any'])[:300]}"
            for each in found for node in each["nodes"]]  # fmt: skip


@needs.chromium
@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_axe_finds_no_fault_and_the_search_finds_a_page(
    site: Path, pages: dict[str, Read], colours: Any
) -> None:
    asked: list[str] = []
    chosen = [address for address in pages if not address.startswith("files/") and address != "404.html"]
    with served(site) as root:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER)
            page = await browser.new_page(color_scheme=colours)
            page.on("request", lambda request: asked.append(request.url))
            found = {}
            for address in chosen:
                await page.goto(root + address)
                found[address] = await faults(page)
            await page.goto(root)
            await page.keyboard.press("/")
            await page.keyboard.type("temperature")
            await page.get_by_role("link", name="How a model works").first.wait_for()
            await browser.close()
    assert {address: lines for address, lines in found.items() if lines} == {}
    assert [url for url in asked if not url.startswith((root, "data:", "blob:"))] == []
