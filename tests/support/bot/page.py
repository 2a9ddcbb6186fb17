"""The playground's page as a person uses it, in headless Chromium."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from playwright.async_api import Locator, Page, async_playwright
from playwright.async_api import TimeoutError as NotThere

from bot.demo.playground import FIRST_JOB, GUILD_ID, playground
from bot.infra.paths import Layout
from bot.settings import Settings
from tests.support.needs import CHROMIUM
from tests.support.patience import PATIENCE_S


class Listed(str):
    """A value that a person picks from the list below its option: a role, a channel, a model, a choice."""


P = TypeVar("P", bound="PlaygroundPage")


class PlaygroundPage:
    """Types slash commands into the composer and reads the conversation."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(PATIENCE_S * 1000)

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await self.page.wait_for_selector("#channel-composer-input")

    async def typed(self, text: str) -> None:
        """Type it on the keyboard."""
        await self.page.keyboard.type(text)

    async def stepped(self) -> None:
        """A part of a command has been filled in."""

    async def command(self, name: str, /, **options: Any) -> None:
        """Type a command, fill its options in and send it."""
        await self.page.click("#channel-composer-input")
        await self.typed(f"/{name}")
        await self.choose_command()
        for option, value in options.items():
            await self.fill(option, value)
            await self.stepped()
        await self.send()

    async def choose_command(self) -> None:
        """Take the first command that begins as what was typed."""
        await self.page.wait_for_selector(".command-entry.is-active")
        await self.page.keyboard.press("Enter")
        await self.page.wait_for_selector(".command-chip")
        await self.stepped()

    async def fill(self, option: str, value: Any) -> None:
        """Fill in an option: with words, an entry of the list below it, or a file (name and bytes)."""
        pill = f'.command-pill[data-option="{option}"]'
        if not await self.page.query_selector(pill):
            await self.page.click(".command-chip")
            await self.page.click(f'.command-suggestion[data-value="{option}"]')
            await self.page.wait_for_selector(pill)
        if isinstance(value, tuple):
            name, data = value
            chosen = {"name": name, "mimeType": "text/plain", "buffer": data}
            await self.page.set_input_files(f"{pill} input[type=file]", chosen)
            return
        await self.page.fill(f"{pill} .command-option-input", str(value))
        if isinstance(value, Listed):
            await self.page.locator(".command-suggestion").filter(has_text=value).first.click()

    async def send(self) -> None:
        """Send the command that the composer holds."""
        await self.page.keyboard.press("Escape")
        await self._press_until(self.page.locator("#send-message"), self._composer_is_back)

    async def reads(self, *words: str, times: int = 1, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the conversation shows all the words, each that many times."""
        for word in words:
            messages = self.page.locator("#channel-message-list").get_by_text(word)
            await messages.nth(times - 1).wait_for(timeout=timeout_s * 1000)

    def message(self, *words: str) -> Locator:
        """Return the messages with all these words, from the first to the last; also what comes later."""
        found = self.page.locator("#channel-message-list .channel-message")
        for each in words:
            found = found.filter(has_text=each)
        return found

    async def press(self, button: str, *words: str, times: int = 1) -> None:
        """Press the last button of that name until the words are there that many times."""
        pressed = self.page.locator("#channel-message-list").get_by_role("button", name=button).last
        await self._press_until(
            pressed, lambda timeout_s: self.reads(*words, times=times, timeout_s=timeout_s)
        )

    async def _composer_is_back(self, timeout_s: float) -> None:
        await self.page.wait_for_selector("#channel-composer-input", timeout=timeout_s * 1000)

    async def _press_until(self, pressed: Locator, done: Callable[[float], Awaitable[None]]) -> None:
        """Press again what had no effect, as a person does.

        The page drops a click while it redraws itself, and the bot may ask for a moment's patience.
        """
        for _ in range(3):
            with contextlib.suppress(NotThere):  # what took effect late is gone or disabled
                await pressed.click(timeout=5_000)
            with contextlib.suppress(NotThere):
                return await done(10)
        return await done(PATIENCE_S)


@contextlib.asynccontextmanager
async def opened_playground(
    settings: Settings, bundle: Path, kind: type[P] = PlaygroundPage
) -> AsyncIterator[P]:
    """Open the playground in Chromium, with a copy of a bundle as its first model.

    Args:
        settings: of the playground, see `demo_settings`.
        bundle: a trained model.
        kind: who looks at the page.
    """
    shutil.copytree(bundle, Layout(settings.data_dir).bundle(GUILD_ID, FIRST_JOB))
    async with playground(settings) as served, async_playwright() as playwright:
        # It must not look for anything outside this machine.
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
            ],
        )
        context = await browser.new_context()
        page = kind(await context.new_page())
        await page.open(served.url)
        yield page
        await browser.close()
