"""Mermaid's diagrams as pictures, drawn once in Chromium: the site loads no script from another host."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import async_playwright

from docs.site.staging import diagram_name
from tests.support.bot.page import CHROMIUM

RENDER = """async (source) => {
    mermaid.initialize({
        startOnLoad: false, theme: "neutral", htmlLabels: false, flowchart: { htmlLabels: false },
        fontFamily: "sans-serif",
    });
    return (await mermaid.render("diagram", source)).svg;
}"""


async def drawn_by(script: Path, sources: list[str]) -> dict[str, str]:
    """Draw each diagram.

    Args:
        script: `mermaid.min.js`.
        sources: the diagrams as the pages have them.

    Returns:
        Name of the picture → the picture, as SVG.
    """
    found = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.set_content("<!doctype html><body></body>")
        await page.add_script_tag(path=script)
        for source in sources:
            drawn: str = await page.evaluate(RENDER, source)
            # A white ground, so that it can be read where the page is dark.
            drawn = drawn.replace('style="', 'style="background: white; ', 1)
            found[diagram_name(source)] = drawn
        await browser.close()
    return found
