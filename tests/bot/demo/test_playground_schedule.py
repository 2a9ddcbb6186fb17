"""A schedule in the playground, driven through its page: saved, run by hand, and posting by the clock."""

import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.demo.playground import GUILD_ID, MODEL_NAME, demo_settings
from bot.settings import Settings
from models import Database, Schedule, schedules
from tests.support import needs
from tests.support.bot.page import opened_playground


def make_due(settings: Settings) -> None:
    """Let the schedule's next time be now, as it would be tomorrow morning."""
    database = Database(settings.database_url)
    with database.write() as session:
        (schedule,) = schedules.listing(session, GUILD_ID)
        # Not this second: the post by hand may have been it, and a slot is posted once.
        soon = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(seconds=1)
        session.execute(sa.update(Schedule).where(Schedule.id == schedule.id).values(next_slot=soon))
    database.dispose()


@needs.chromium
@pytest.mark.slow
async def test_a_schedule_is_saved_run_by_hand_and_posts_by_the_clock(
    settings: Settings, trained_bundle: Path, tmp_path: Path
):
    settings = demo_settings(settings)
    async with opened_playground(settings, trained_bundle) as page:
        await page.command("schedule add", when="daily 09:00", timezone="Europe/Berlin", length=60)
        await page.reads("Save this schedule?", "The next three times")
        await page.page.screenshot(path=tmp_path / "preview.png")
        await page.press("Confirm", "Schedule #1 is saved")

        await page.command("schedule run", schedule=1)
        await page.reads(f"daily 09:00 Europe/Berlin · {MODEL_NAME}", "Posted")
        await page.page.screenshot(path=tmp_path / "post.png")

        make_due(settings)
        await page.reads(f"· {MODEL_NAME} ·", times=2)

        await page.press("Stop", "paused the schedule")
        await page.page.screenshot(path=tmp_path / "stopped.png")
