"""Screens of the running playground, taken as a person sees them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from bot.demo.playground import demo_settings
from bot.settings import Settings
from tests.support.bot.page import PlaygroundPage, opened_playground

WIDTH, HEIGHT = 900, 720
TRAINING_MINUTES = 0.6
ALL_LOADED = """() => [...document.querySelectorAll("#channel-message-list img")]
    .every((image) => image.complete && image.naturalWidth > 0)"""


async def take(plays: Path, pictures: Path) -> None:
    """Take every screen.

    Args:
        plays: folder with a corpus and its model.
        pictures: where the screens go.
    """
    settings = demo_settings(Settings(_env_file=None, data_dir=plays.parent / "var"))  # type: ignore[call-arg]
    async with opened_playground(settings, plays / "model") as page:
        await page.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        await page.page.get_by_label("First steps").get_by_role("button", name="Hide").click()
        await page.command("generate", seed="to be, or not", length=220, random_seed=7)
        await page.reads("random seed 7")
        await _shoot(page, pictures / "generate.png")
        corpus = ("hamlet.txt", (plays / "input.txt").read_bytes()[:400_000])
        await page.command(
            "train", name="Hamlet", corpus=corpus, rights="True", minutes=str(TRAINING_MINUTES)
        )
        await page.reads("What it writes now", timeout_s=240)
        await _shoot(page, pictures / "train.png")
        await page.command("models", model="Hamlet")
        await page.reads("Make default", timeout_s=60)
        await _shoot(page, pictures / "models.png")


async def _shoot(page: PlaygroundPage, picture: Path) -> None:
    await page.page.wait_for_function(ALL_LOADED)
    await page.page.wait_for_timeout(1_000)  # the list scrolls to its end
    await page.page.screenshot(path=picture)
    with Image.open(picture) as taken:
        # Few colours: a page of text needs no more, and the file is a third as large.
        taken.convert("RGB").quantize(128).save(picture, optimize=True)
