"""A slot is posted once, wherever the bot's process is killed and however long it is away."""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import migrations
from models import Database, PostState, scheduled_posts, schedules
from tests.support.bot.posting_process import GUILD, SLOT
from tests.support.bot.processes import wait_for

MINUTE = datetime.timedelta(minutes=1)


class Bots:
    """Bot processes, one after another, on one data directory and one Discord."""

    def __init__(self, data_dir: Path, bundle: Path) -> None:
        self.data_dir, self.bundle = data_dir, bundle
        self.log = data_dir.parent / "bots.log"

    def start(self, after: datetime.timedelta, hang: str = "") -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "tests.support.bot.posting_process", self.data_dir, self.bundle]
            return subprocess.Popen(
                [*map(str, command), (SLOT + after).isoformat(), hang],
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[3],
                env=os.environ,
            )

    def kill_at(self, place: str) -> None:
        """Run one until it is at the place, and kill it there."""
        process = self.start(datetime.timedelta(seconds=2), place)
        hangs = self.data_dir / "discord.hangs"
        wait_for(lambda: hangs.exists() or process.poll() is not None, message=self.log.read_text)
        assert process.poll() is None, self.log.read_text()
        process.kill()
        process.wait()
        assert self.state() is (PostState.DUE if place == "sample" else PostState.SENDING)

    def run(self, after: datetime.timedelta) -> None:
        """Run one to its end."""
        assert self.start(after).wait(90) == 0, self.log.read_text()

    def messages(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in (self.data_dir / "discord.jsonl").read_text().splitlines()]

    def state(self) -> PostState:
        settings_url = f"sqlite:///{self.data_dir}/pastiche.sqlite"
        assert migrations.current(settings_url)
        database = Database(settings_url)
        with database.read() as session:
            (schedule,) = schedules.listing(session, GUILD)
            (post,) = scheduled_posts.listing(session, GUILD, schedule.id)
        database.dispose()
        return post.state


@pytest.fixture
def bots(tmp_path: Path, trained_bundle: Path) -> Bots:
    return Bots(tmp_path / "data", trained_bundle)


@pytest.mark.parametrize("place", ["sample", "send", "record"])
@pytest.mark.slow
def test_a_bot_killed_at_any_place_posts_once_after_its_restart(bots: Bots, place: str):
    bots.kill_at(place)
    before = bots.messages()
    assert len(before) == (1 if place == "record" else 0)
    bots.run(MINUTE)
    assert bots.state() is PostState.SENT
    (message,) = bots.messages()
    assert before in ([], [message])


@pytest.mark.parametrize(
    ("place", "state", "count"),
    [
        # Discord had not been asked: it is caught up with.
        ("sample", PostState.SENT, 1),
        # It may have been, and no longer knows the nonce: one too few is better than one twice.
        ("send", PostState.UNCONFIRMED, 0),
        ("record", PostState.UNCONFIRMED, 1),
    ],
)
@pytest.mark.slow
def test_after_half_an_hour_what_may_have_been_sent_counts_as_posted(
    bots: Bots, place: str, state: PostState, count: int
):
    bots.kill_at(place)
    bots.run(30 * MINUTE)
    assert bots.state() is state
    assert len(bots.messages()) == count


@pytest.mark.slow
def test_after_a_day_nothing_late_is_posted(bots: Bots):
    bots.kill_at("sample")
    process = bots.start(20 * 60 * MINUTE)
    assert process.wait(90) == 0, bots.log.read_text()
    assert bots.state() is PostState.MISSED
    assert bots.messages() == []
