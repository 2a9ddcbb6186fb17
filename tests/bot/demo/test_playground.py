"""The playground, driven through its page by a real browser as a newcomer would."""

from pathlib import Path

import pytest

from bot.demo.playground import MODEL_NAME, demo_settings
from bot.settings import Settings
from tests.support import needs
from tests.support.bot.page import opened_playground
from tests.support.patience import PATIENCE_S


@needs.chromium
@pytest.mark.slow
async def test_a_newcomer_generates_trains_and_looks_at_the_models(
    settings: Settings, trained_bundle: Path, corpus_text: str
):
    settings = demo_settings(settings)
    async with opened_playground(settings, trained_bundle) as page:
        await page.reads("Hello, I am Pastiche", "/privacy shows what I store")
        greetings = page.page.locator("#channel-message-list").get_by_text("Hello, I am Pastiche")
        assert await greetings.count() == 1

        await page.command("generate", seed="to be, ", length=60, random_seed=3)
        bold = page.page.locator("#channel-message-list strong", has_text="to be,")
        await bold.wait_for(timeout=PATIENCE_S * 1000)
        await page.reads(f"{MODEL_NAME} · temperature 0.7 · random seed 3")
        await page.press("Again", f"{MODEL_NAME} · temperature 0.7", times=2)

        corpus = ("hamlet.txt", (corpus_text * 10).encode())
        await page.command("train", name="Hamlet", corpus=corpus, rights="True", minutes="30")
        await page.reads("is in the queue")
        await page.reads("Training", "Time left", "What it writes at")
        await page.press("Finish now", "finished early")
        await page.reads("What it writes now")

        await page.command("models")
        await page.reads("Models of this server", "2 of 100 models")
