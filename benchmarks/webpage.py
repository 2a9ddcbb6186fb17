"""Figures of a model as a web page: its size, its first character after opening, its speed in Chromium."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from rich.console import Console

from benchmarks.figures import Figure, trained_bundle
from textgen import bundle as bundles
from textgen.model import TextModel
from textgen.sampling import SamplingSettings
from textgen.webpage import Shown, page_of

CHROMIUM = Path("/usr/bin/chromium")
OPENINGS = 7
CHARACTERS = 20_000
COMPARED = 10_000
TEMPERATURES = (0.4, 0.7, 1.1)
_PATIENCE_MS = 120_000

# The page is measured as a person sees it: from its opening until a character stands in the text.
_WATCHED = """
addEventListener("DOMContentLoaded", () => {
  const written = document.getElementById("written");
  new MutationObserver((_, observer) => {
    if (!written.textContent) return;
    observer.disconnect();
    requestAnimationFrame(() => { window.firstAt = performance.now(); });
  }).observe(written, { characterData: true, childList: true, subtree: true });
});
"""


def run() -> list[Figure]:
    """Train a model on Shakespeare, write its page, and open it."""
    if not CHROMIUM.exists():
        return []
    with tempfile.TemporaryDirectory(prefix="textgen-bench-") as folder:
        return figures_of(trained_bundle(Path(folder)), Path(folder) / "page.html")


def figures_of(bundle: Path, page: Path) -> list[Figure]:
    """Write a bundle's page and measure it."""
    page.write_bytes(page_of(bundles.read(bundle), Shown("Shakespeare")))
    model = TextModel.load(bundle)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        firsts = []
        for _ in range(OPENINGS):
            tab = browser.new_page()
            tab.add_init_script(_WATCHED)
            tab.goto(page.as_uri() + "#seed=&temperature=0.7&random=1&length=500")
            tab.locator("#status", has_text="Done").wait_for(timeout=_PATIENCE_MS)
            firsts.append(tab.evaluate("window.firstAt") / 1_000)
            tab.close()
        tab = browser.new_page()
        begun = time.perf_counter()
        _text(tab, page, 0.7, CHARACTERS)
        speed = CHARACTERS / (time.perf_counter() - begun - statistics.median(firsts))
        differing = 0
        for temperature in TEMPERATURES:
            settings = SamplingSettings(length=COMPARED, temperature=temperature, random_seed=1)
            sample = model.sample("", settings)
            differing += _text(tab, page, temperature, COMPARED) != sample.seed + sample.text
        browser.close()
    return [
        Figure("web page: size", page.stat().st_size / 1e6, "MB", "≤ 2"),
        Figure("web page: first character after opening, median", statistics.median(firsts), "s", "≤ 0.5"),
        Figure("web page: speed in Chromium", speed, "characters/s", "≥ 3000"),
        Figure(f"web page: texts of {COMPARED:,} characters unlike Python's", differing, "", "≤ 0"),
    ]


def _text(tab: Page, page: Path, temperature: float, length: int) -> str:
    tab.goto("about:blank")
    tab.goto(page.as_uri() + f"#seed=&temperature={temperature}&random=1&length={length}")
    tab.locator("#status", has_text="Done").wait_for(timeout=_PATIENCE_MS)
    return str(tab.evaluate("document.getElementById('text').textContent"))


def main() -> int:
    """Print the figures, of a bundle that is named or of a new one; exit 1 if a bound is missed."""
    if len(sys.argv) > 1:
        with tempfile.TemporaryDirectory(prefix="textgen-bench-") as folder:
            figures = figures_of(Path(sys.argv[1]), Path(folder) / "page.html")
    else:
        figures = run()
    for figure in figures:
        Console(width=110).print(f"{figure.name}: {figure.value:,.4g} {figure.unit} {figure.bound}")
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
