"""Everything that people see is in the gallery, in their time zone, and in words where it is a picture."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.views.persistent import Form
from tests.gallery.kinds import SCENES, makers, name_of, run_scenes
from tests.gallery.pictures import LOCALES, chromium, picture
from tests.gallery.stage import Shown, Stage, stage
from tests.support import needs

# What a person types for a schedule, and examples of it; its time is that of the zone beside it.
RULE = re.compile(r"\b(daily|weekdays|weekends|every \w+) \d\d:\d\d|\d \* \* \S+|\bUTC\b")
CLOCK = re.compile(r"\b\d{1,2}:\d{2}\b")
DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b(19|20)\d{2}\b")
MONTH = re.compile(
    r"\b(January|February|March|April|June|July|August|September|October|November|December|"
    r"Januar|Februar|März|Juni|Juli|Oktober|Dezember)\b"
)
SHOWN_IN_DISCORDS_OWN_WAY = re.compile(r"<t:\d+(:[tTdDfFR])?>|https?://\S+|TG1[0-9A-Z]+")
PHONE = 740
"""Pixels of a small phone's screen, of which the channel's name and the line to write in take these."""
AROUND = 48 + 60


@pytest.fixture(scope="module")
def played(trained_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    async def play() -> Stage:
        async with stage(tmp_path_factory.mktemp("gallery"), trained_bundle, LOCALES["en"]) as running:
            await run_scenes(running)
            return running

    return asyncio.run(play())


def strings(value: Any) -> Iterator[str]:
    """All texts in a message, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in {"url", "proxy_url", "custom_id", "timestamp", "content_type", "filename", "id"}:
                yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def buttons(shown: list[Shown]) -> set[str]:
    return {
        item["custom_id"]
        for each in shown
        for row in each.message["components"]
        for item in row.get("components", ())
        if "custom_id" in item
    }


@pytest.mark.slow
async def test_every_card_button_and_form_is_in_it(played: Stage):
    listed = [(name_of(scene), kind) for scene, kinds in SCENES.items() for kind in kinds]
    assert list(dict.fromkeys((each.scene, each.kind) for each in played.shown)) == listed
    seen = {maker for each in played.shown for maker in each.makers}
    assert makers() - seen == set(), "a card without an entry: show it in a scene and list it in SCENES"
    templates = played.world.bot._connection._view_store._dynamic_items
    ids = buttons(played.shown)
    missing = [each.pattern for each in templates if not any(map(each.fullmatch, ids))]
    assert missing == [], "a button without an entry: show it in a scene"
    forms = [each for each in played.shown if each.is_form]
    assert len(forms) == len(Form.__subclasses__()), "a form without an entry: open it in a scene"


@pytest.mark.slow
async def test_a_date_or_a_time_is_shown_in_the_readers_zone(played: Stage):
    for each in played.shown:
        for text in strings(each.message):
            bare = RULE.sub("", SHOWN_IN_DISCORDS_OWN_WAY.sub("", text))
            found = [pattern.search(bare) for pattern in (CLOCK, DATE, MONTH)]
            assert not any(found), f"{each.kind}: {text}"


@pytest.mark.slow
async def test_a_picture_has_its_figures_in_words(played: Stage):
    pictures = [
        (each.kind, attachment)
        for each in played.shown
        for attachment in each.message.get("attachments", ())
        if attachment["filename"].endswith(".png")
    ]
    assert {kind for kind, _ in pictures} >= {"training", "training done", "model"}
    for kind, attachment in pictures:
        # The picture of /who shows words in colours, so its description names each colour's words.
        told = r"\bFor none of them: \w" if kind.startswith("who wrote it") else r"\d"
        assert re.search(told, attachment.get("description") or ""), f"{kind} has no description"
    described = dict(pictures)["training"]["description"]
    assert described == (
        "Curve of the validation loss over 1 min 30 s: from 2.610 nats to 1.620 nats, at its lowest 1.620 "
        "nats. The training loss went from 2.690 nats to 1.700 nats."
    )


@needs.chromium
@pytest.mark.slow
async def test_a_picture_shows_a_whole_message_however_far_the_page_scrolls(
    trained_bundle: Path, tmp_path: Path
):
    async with stage(tmp_path, trained_bundle, LOCALES["en"]) as running, chromium() as browser:
        await run_scenes(running, ["privacy"])
        pictures = await picture(running, browser, tmp_path, "en")
    assert len(pictures) > 4
    for each in pictures:
        image = Image.open(tmp_path / each.file).convert("L")
        assert image.width == each.width
        # There is writing at the top of it and at its end.
        for place in ((0, 0, *image.size), (0, image.height // 2, *image.size)):
            darkest, lightest = image.crop(place).getextrema()
            assert lightest - darkest > 100, each.file


@needs.chromium
@pytest.mark.slow
@pytest.mark.parametrize("language", LOCALES)
async def test_help_fits_the_screen_of_a_small_phone(trained_bundle: Path, tmp_path: Path, language: str):
    async with stage(tmp_path, trained_bundle, LOCALES[language]) as running, chromium() as browser:
        running.begin("server")
        running.keep("help", await running.slash("help"))
        pictures = await picture(running, browser, tmp_path, language)
        heights = {each.width: Image.open(tmp_path / each.file).height for each in pictures}
    assert heights[360] <= PHONE - AROUND
