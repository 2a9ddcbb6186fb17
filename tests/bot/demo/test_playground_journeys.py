"""Each journey of the playground, by mouse and keyboard in a real browser: what a person does, and then sees.

All share one server and one page, in any order: each looks at what it made itself.
"""

import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from bot.demo.playground import GUILD_ID, MODEL_NAME, demo_settings
from bot.settings import Settings
from models import Database, guilds
from tests.support import needs
from tests.support.bot.page import Listed, PlaygroundPage, opened_playground
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(
    tmp_path_factory: pytest.TempPathFactory, trained_bundle: Path
) -> AsyncIterator[PlaygroundPage]:
    data_dir = tmp_path_factory.mktemp("playground")
    settings = demo_settings(Settings(_env_file=None, data_dir=data_dir, jobs_poll_s=0.2, training_threads=1))
    async with opened_playground(settings, trained_bundle) as opened:
        # Nobody here waits three seconds between two texts.
        database = Database(settings.database_url)
        with database.write() as session:
            guilds.edit(session, GUILD_ID, cooldown_s=0)
        database.dispose()
        yield opened


@needs.chromium
async def test_generate(page: PlaygroundPage) -> None:
    options = {"seed": "to be, ", "length": 60, "random_seed": 11}
    footer = f"{MODEL_NAME} · temperature 0.7 · random seed 11 ·"
    await page.command("generate", model=Listed(MODEL_NAME), **options)
    text = page.message(footer)
    await expect(text).to_have_count(1)
    await expect(text.locator("strong", has_text="to be,")).to_be_visible()
    # The same options give the same text, as its description says.
    await page.command("generate", **options)
    await expect(text).to_have_count(2)
    written = await text.locator(".embed-description").all_inner_texts()
    assert written[0] == written[1]

    # The buttons below it: another text, more of it, and away with it.
    await text.last.get_by_role("button", name="Again").click()
    texts = page.message(f"{MODEL_NAME} · temperature 0.7 ·")
    await expect(texts).to_have_count(3)
    await text.last.get_by_role("button", name="Continue").click()
    await expect(texts).to_have_count(4)
    await text.last.get_by_role("button", name="Delete").click()
    await expect(text).to_have_count(1)


@needs.chromium
async def test_a_command_typed_with_its_options_is_no_message(page: PlaygroundPage) -> None:
    composer = page.page.locator("#channel-composer-input")
    await composer.fill("/generate seed:to be length:60")
    await composer.press("Enter")
    hint = page.page.locator("#command-hint")
    await expect(hint).to_have_text(
        "The options of /generate have fields of their own: choose the command, then fill them in."
    )
    await expect(composer).to_have_value("/generate")
    await expect(page.message("seed:to be length:60")).to_have_count(0)
    await composer.press("Enter")
    await expect(page.page.locator(".command-context-close")).to_be_visible()
    await page.page.locator(".command-context-close").click()
    # Anything else is sent as it is.
    await composer.fill("write /generate seed:x to be")
    await composer.press("Enter")
    await expect(page.message("write /generate seed:x to be")).to_have_count(1)


@needs.chromium
async def test_train(page: PlaygroundPage, corpus_text: str) -> None:
    corpus = ("lear.txt", (corpus_text * 10).encode())
    await page.command("train", name="Lear", corpus=corpus, rights=Listed("True"), minutes=30)
    await expect(page.message("Only you can see this", "Lear is in the queue")).to_have_count(1)
    card = page.message("Lear", "Requested by Ada")
    await expect(card).to_contain_text("What was read")
    await expect(card).to_contain_text("Time left")
    await expect(card).to_contain_text("What it writes at")
    await card.get_by_role("button", name="Finish now").click()
    await expect(card).to_contain_text("finished early")
    await expect(card).to_contain_text("What it writes now")
    await expect(card.get_by_role("img")).to_be_visible()

    await card.get_by_role("button", name="Try it").click()
    await expect(page.message("Lear · temperature 0.7")).to_have_count(1)
    await page.command("models", model=Listed("Lear"))
    await expect(page.message("Learned from", "lear.txt")).to_have_count(1)


@needs.chromium
async def test_schedule(page: PlaygroundPage) -> None:
    await page.command("schedule add", when="weekdays 18:30", timezone=Listed("Europe/Berlin"), length=40)
    draft = page.message("Save this schedule?")
    await expect(draft).to_contain_text(
        re.compile(r"The next three times(.* at \d+:30\s[AP]M){3}", re.DOTALL)
    )
    await expect(draft.locator(".mention")).to_have_text("#writing-room")
    await draft.get_by_role("button", name="Confirm").click()
    await expect(page.message("Schedule #1 is saved", "weekdays 18:30")).to_have_count(1)

    await page.command("schedule run", schedule=1)
    post = page.message("weekdays 18:30 Europe/Berlin", "Stop")
    await expect(post).to_have_count(1)
    await post.get_by_role("button", name="Stop").click()
    await expect(page.message("Ada paused the schedule")).to_have_count(1)
    await page.command("schedule list")
    await expect(page.message("Schedules of this server", "Paused")).to_have_count(1)
    await page.command("schedule remove", schedule=1)
    await expect(page.message("weekdays 18:30", "is removed")).to_have_count(1)


@needs.chromium
async def test_panel(page: PlaygroundPage) -> None:
    await page.command("models")
    await page.message("Models of this server").last.get_by_role("combobox").click()
    await page.page.get_by_role("option", name=MODEL_NAME).click()
    panel = page.message("Learned from", MODEL_NAME).last
    await expect(panel.get_by_role("img")).to_be_visible()
    texts = page.message(f"{MODEL_NAME} · temperature 0.7 ·")
    before = await texts.count()
    await panel.get_by_role("button", name="Sample").click()
    await expect(texts).to_have_count(before + 1)

    panel = page.message("Learned from", "Rename").last
    for old, new in ((MODEL_NAME, "Bard of Avon"), ("Bard of Avon", MODEL_NAME)):
        await panel.get_by_role("button", name="Rename").click()
        form = page.page.get_by_role("dialog")
        await expect(form.get_by_label("New name")).to_have_value(old)
        await form.get_by_label("New name").fill(new)
        await page.page.keyboard.press("Enter")
        await expect(form).to_have_count(0)
        await expect(panel).to_contain_text(new)
    await panel.get_by_role("button", name="Make default").click()
    await expect(panel.get_by_role("button", name="Make default")).to_be_disabled()

    await panel.get_by_role("button", name="Delete").click()
    question = page.message(f"Delete “{MODEL_NAME}”?")
    await question.get_by_role("button", name="Keep it").click()
    await expect(question).to_have_count(0)


@needs.chromium
async def test_settings(page: PlaygroundPage) -> None:
    await page.command("settings edit", trainer_role=Listed("Manager"), channel=Listed("writing-room"))
    changed = page.message("Settings changed")
    await expect(changed.locator(".mention")).to_have_text(["#writing-room", "@Manager"])
    await page.command("settings show")
    shown = page.message("Settings of The Globe")
    await expect(shown.locator(".mention")).to_have_text(["#writing-room", "@Manager"])
    await shown.get_by_role("button", name="Recent changes").click()
    history = page.page.locator(".embed-card", has_text=re.compile("^Recent changes"))
    await expect(history).to_contain_text("trainer_role")
    # The page sets no space between the title and the time.
    await expect(history).to_contain_text(re.compile(r"(ago|now)\b"))
    await expect(history.locator(".mention")).to_have_text(["@Manager", "#writing-room"])

    # /help names the commands, and a name can be pressed.
    await page.command("help")
    await page.message("In a message's menu").get_by_role("button", name="/settings show").press("Enter")
    await page.choose_command()
    await page.send()
    await expect(page.message("Settings of The Globe")).to_have_count(2)
    await page.command("settings reset", setting=Listed("all settings"))
    await expect(page.message("Settings changed", "every channel")).to_have_count(2)


@needs.chromium
async def test_export_and_import(page: PlaygroundPage, tmp_path: Path) -> None:
    await page.command("models", model=Listed(MODEL_NAME))
    await page.message("Learned from", MODEL_NAME).last.get_by_role("button", name="Export").click()
    exported = page.message("Here is the bundle")
    async with page.page.expect_download() as started:
        await exported.get_by_role("button", name="Download").click()
    file = tmp_path / "exported.zip"
    await (await started.value).save_as(file)
    assert "manifest.json" in zipfile.ZipFile(file).namelist()

    await page.command("models")
    await page.message("Models of this server").last.get_by_role("button", name="Import").click()
    form = page.page.get_by_role("dialog")
    await form.get_by_role("textbox", name="Name").fill("Guest")
    await form.locator("input[type=file]").set_input_files(file)
    await form.get_by_role("button", name="Submit").click()
    await expect(page.message("The model Guest is imported")).to_have_count(1)
    await page.command("generate", model=Listed("Guest"), length=40)
    await expect(page.message("Guest · temperature 0.7")).to_have_count(1)


@needs.chromium
async def test_a_member_without_the_right_reads_what_is_missing(page: PlaygroundPage) -> None:
    viewer = page.page.get_by_label("Viewing as")
    await viewer.select_option(label="Ben")
    await page.command("models", model=Listed(MODEL_NAME))
    await page.message("Learned from", MODEL_NAME).last.get_by_role("button", name="Export").click()
    await expect(page.message("Only you can see this", "Manage Server").last).to_be_visible()
    await viewer.select_option(label="Ada")


@needs.chromium
async def test_a_command_that_was_begun_gives_way_to_another(page: PlaygroundPage) -> None:
    steps = page.page.get_by_label("First steps")
    for command in ("train", "schedule", "generate"):
        await steps.get_by_role("button", name=f"/{command}").click()
        await page.choose_command()
        await expect(page.page.locator(".command-chip")).to_contain_text(command)
