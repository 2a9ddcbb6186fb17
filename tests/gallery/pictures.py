"""Pictures of messages as the playground's page shows them, in headless Chromium."""

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby, product
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from bot.demo.page import improved
from tests.gallery.stage import Shown, Stage
from tests.support.bot.world import Place
from tests.support.needs import CHROMIUM
from tests.support.patience import PATIENCE_S

WIDTHS = (360, 1200)
"""Pixels of a small phone, and of a window on a desk."""
THEMES = ("dark", "light")
LOCALES = {"en": "en-GB", "de": "de"}
"""The languages of the gallery, and what Discord calls them."""
ZONES = {"en": "Europe/London", "de": "Europe/Berlin"}
AT_ONCE = 20
"""Messages on a page: Chromium's pictures have a largest height."""
STYLE = Path(__file__).with_name("gallery.css")
COMPONENTS_V2 = 1 << 15
MESSAGE = "article.channel-message"
LOADED = "document.fonts.status === 'loaded' && [...document.images].every((each) => each.complete)"
MARGIN = 400
"""Pixels, for what the page has above and below the messages."""
BOXES = f"""async () => {{
    // What a change of size brings about happens before the second frame is drawn.
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
    return [...document.querySelectorAll("{MESSAGE}")].map((message) => {{
        const box = message.getBoundingClientRect();
        return [box.left, box.top, box.right, box.bottom];
    }});
}}"""


@dataclass(frozen=True)
class Picture:
    """A message in one width and theme.

    Attributes:
        shown: the message.
        file: name of the PNG in the gallery's folder.
    """

    shown: Shown
    language: str
    width: int
    theme: str
    file: str


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser that looks for nothing outside of this machine."""
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*arguments, "--disable-component-update"]
        )
        try:
            yield browser
        finally:
            await browser.close()


async def picture(stage: Stage, browser: Browser, folder: Path, language: str) -> list[Picture]:
    """Take pictures of everything that a stage has shown, and return them.

    Args:
        stage: still runs.
        browser: takes the pictures.
        folder: for the PNGs.
        language: a key of `LOCALES`.
    """
    found: list[Picture] = []
    pictured = [each for each in stage.shown if not each.is_form]
    for (_, place), group in groupby(pictured, key=lambda each: (each.scene, each.place)):
        messages = list(group)
        for first in range(0, len(messages), AT_ONCE):
            found += await _some(stage, browser, folder, language, place, messages[first : first + AT_ONCE])
    return found


async def _some(
    stage: Stage, browser: Browser, folder: Path, language: str, place: Place, messages: Sequence[Shown]
) -> list[Picture]:
    channel = place.guild.create_text_channel("gallery")
    backend, bot = stage.world.env.backend, stage.world.bot.user
    assert bot is not None
    for shown in messages:
        # Whoever looks at the gallery was asked by nobody, so private answers are put there like others.
        flags = shown.message["flags"] & COMPONENTS_V2
        backend.create_message(channel.id, bot.id, **shown.message | {"flags": flags})
    preview = stage.world.env.preview(
        channel,
        viewers=[place.admin],
        layout="channel",
        locale=LOCALES[language],
        timezone=ZONES[language],
        presentation_time=messages[-1].at,
    )
    pictures = []
    async with improved(preview, 0) as served:
        # SimCord's page takes no style but its own.
        page = await browser.new_page(bypass_csp=True)
        page.set_default_timeout(PATIENCE_S * 1000)
        await page.goto(served.url)
        await page.add_style_tag(content=STYLE.read_text(encoding="utf-8"))
        await page.wait_for_function(f"document.querySelectorAll('{MESSAGE}').length === {len(messages)}")
        await page.wait_for_function(LOADED)
        for width, theme in product(WIDTHS, THEMES):
            await page.evaluate("theme => document.documentElement.className = theme", theme)
            cut = await _cut(page, width)
            for shown, image in zip(messages, cut, strict=True):
                number = stage.shown.index(shown)
                file = f"{language}-{number:02d}-{shown.scene}-{width}-{theme}.png"
                image.save(folder / file)
                pictures.append(Picture(shown, language, width, theme, file))
        await page.close()
    return pictures


async def _cut(page: Page, width: int) -> list[Image.Image]:
    """Return a picture of each message, the first first."""
    height = 1000
    await _resize(page, width, height)
    while True:
        boxes = await page.evaluate(BOXES)
        if boxes[-1][3] > height or boxes[0][1] < 0:
            height = max(height, round(boxes[-1][3] - boxes[0][1])) + MARGIN
            await _resize(page, width, height)
            continue
        whole = Image.open(io.BytesIO(await page.screenshot()))
        # Texts break anew, pictures are drawn anew and the page scrolls to its end, all after the resizing.
        if boxes == await page.evaluate(BOXES):
            return [whole.crop(tuple(map(round, box))) for box in boxes]


async def _resize(page: Page, width: int, height: int) -> None:
    await page.set_viewport_size({"width": width, "height": height})
    # Chromium lays the page out some time after that.
    await page.wait_for_function(
        "size => innerWidth === size[0] && innerHeight === size[1]", arg=[width, height]
    )
