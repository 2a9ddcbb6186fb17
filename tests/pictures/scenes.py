"""What is done on the page while it is filmed, and which cards are photographed."""

import asyncio
from pathlib import Path

from playwright.async_api import Page

from bot.settings import Settings
from tests.pictures.card import social
from tests.pictures.reel import Reel, save_still
from tests.support.bot.page import Listed, PlaygroundPage, opened_playground
from textgen.corpus import shakespeare

FILM = {"width": 720, "height": 640}
STILL = {"width": 380, "height": 1200}
NAME = "Comedies"
SEED = "What is love? "
TRAINING_FRAMES = 24


class Filmed(PlaygroundPage):
    """A page whose commands are typed slowly enough to be read."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.reel = Reel(page)

    async def typed(self, text: str) -> None:
        """Type three letters a frame."""
        for start in range(0, len(text), 3):
            await self.page.keyboard.type(text[start : start + 3])
            await self.reel.shoot(180)

    async def stepped(self) -> None:
        """Show what the composer holds now."""
        await self.reel.shoot(450)


async def take(settings: Settings, bundle: Path, output: Path, *, minutes: int, short: bool) -> None:
    """Make all pictures.

    Args:
        settings: of the playground.
        bundle: the first model.
        output: folder of the pictures.
        minutes: time of the training that is shown.
        short: whether to end the training when it has begun.
    """
    async with opened_playground(settings, bundle, Filmed) as page:
        await page.page.set_viewport_size(FILM)
        await _train(page, minutes, short=short)
        await _generate(page)
        page.reel.save(output / "learns.gif")

        await page.page.get_by_role("button", name="Hide").click()
        await page.page.set_viewport_size(STILL)
        card = page.message("What it writes now").last
        await save_still(card, output / "train.png")
        await page.command("models")
        await page.reads("Models of this server")
        await save_still(page.message("Models of this server").last, output / "models.png")
        await page.command("schedule add", when="weekdays 18:30", timezone="Europe/Berlin", length=280)
        await page.reads("Save this schedule?")
        await save_still(page.message("Save this schedule?").last, output / "schedule.png")
        await social(page.page.context, await card.screenshot(), output / "social.png")


async def _train(page: Filmed, minutes: int, *, short: bool) -> None:
    corpus = (f"{NAME.lower()}.txt", "\n\n".join(shakespeare.plays("comedies")).encode())
    await page.reads("Hello, I am Pastiche")
    await page.reel.shoot(1500)
    await page.command("train", name=NAME, corpus=corpus, rights=Listed("True"), minutes=minutes)
    await page.reads("is in the queue")
    await page.reel.shoot(900)
    await page.reads("Time left")
    if short:
        await page.press("Finish now", "finished early")
    while not await page.message("What it writes now").count():
        await page.reel.shoot(350)
        await asyncio.sleep(minutes * 60 / TRAINING_FRAMES)
    await asyncio.sleep(2)  # the curve is loaded
    await page.reel.shoot(4000)


async def _generate(page: Filmed) -> None:
    await page.command("generate", seed=SEED, model=Listed(NAME), length=280, temperature=0.5, random_seed=1)
    await page.reads("random seed 1")
    await asyncio.sleep(1)
    await page.reel.shoot(6000)
