"""The playground behaves like a chat: newest in sight, no click lost, at any width, with first steps."""

import asyncio
import re
from pathlib import Path

import pytest

from bot.demo.playground import demo_settings
from bot.settings import Settings
from tests.support import needs
from tests.support.bot.page import PlaygroundPage, opened_playground
from tests.support.patience import PATIENCE_S

IN_SIGHT = """() => {
    const box = document.getElementById("channel-message-list").lastElementChild.getBoundingClientRect();
    const seen = document.getElementById("channel-timeline").getBoundingClientRect();
    return Math.abs(box.bottom - seen.bottom) < 40;
}"""
CLICK_AGAIN = """() => [...document.querySelectorAll("#channel-message-list button")]
    .find((button) => button.textContent.includes("Again")).click()"""
WIDER_THAN_THE_SCREEN = "() => document.documentElement.scrollWidth > window.innerWidth"
# A text, or a line that asks for patience: both answer a click.
ANSWER = re.compile(r"· temperature 0\.7 ·|One moment, please")


async def answered(page: PlaygroundPage, times: int) -> None:
    messages = page.page.locator("#channel-message-list").get_by_text(ANSWER)
    await messages.nth(times - 1).wait_for(timeout=PATIENCE_S * 1000)


async def newest_in_sight(page: PlaygroundPage) -> None:
    await page.page.wait_for_function(IN_SIGHT, timeout=PATIENCE_S * 1000)


@needs.chromium
@pytest.mark.slow
async def test_the_newest_message_is_in_sight_and_no_click_is_lost(settings: Settings, trained_bundle: Path):
    async with opened_playground(demo_settings(settings), trained_bundle) as page:
        await page.command("generate", seed="to be, ", length=200, random_seed=3)
        await answered(page, 1)
        # The page is busy with the command, and redraws the message when it ends.
        await page.command("about")
        await page.page.evaluate(CLICK_AGAIN)
        await page.page.evaluate(CLICK_AGAIN)
        await page.reads("What is stored")
        await answered(page, 3)
        await newest_in_sight(page)

        await page.page.mouse.move(400, 300)
        await page.page.mouse.wheel(0, -2000)
        await asyncio.sleep(0.5)
        await page.page.evaluate(CLICK_AGAIN)
        await answered(page, 4)
        assert not await page.page.evaluate(IN_SIGHT), "whoever scrolled up to read is left there"

        await page.page.set_viewport_size({"width": 360, "height": 740})
        await page.command("models")
        await page.reads("Models of this server")
        await newest_in_sight(page)
        assert not await page.page.evaluate(WIDER_THAN_THE_SCREEN)


@needs.chromium
@pytest.mark.slow
async def test_a_newcomer_is_shown_the_first_steps(settings: Settings, trained_bundle: Path):
    async with opened_playground(demo_settings(settings), trained_bundle) as page:
        assert await page.page.title() == "Pastiche playground"
        steps = page.page.get_by_label("First steps")
        await steps.get_by_role("button", name="/generate").click()
        await page.page.wait_for_selector(".command-entry.is-active")
        await page.page.keyboard.press("Enter")
        await page.page.wait_for_selector(".command-chip")
        await page.page.keyboard.press("Escape")
        await page.page.click("#send-message")
        await answered(page, 1)
        await steps.get_by_role("button", name="Hide").click()
        await page.page.reload()
        await page.page.wait_for_selector("#channel-composer-input")
        assert await steps.count() == 0
