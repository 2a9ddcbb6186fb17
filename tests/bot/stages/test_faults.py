"""What people see at the third stage while a part of it dies, freezes or is away: nothing but a delay."""

import datetime
import signal
import time
from collections.abc import Callable

import pytest

from bot.infra.storage.objects import ObjectStorage
from bot.training.trainer.workspace import STATE
from models import JobState, PostState
from tests.support.bot.stages import SHARDS, Asked, Stage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.parametrize("running", [3], indirect=True, ids=["stage 3"]),
]

RECOVERY_S = 30.0
AWAY_S = 15.0
FROZEN_S = 25.0
SECOND_POST_S = 4.0
"""Longer than a bot takes to look for what is due: a second post would be there by then."""

RESUMED, LOST = "resumed=True", "another process has the training"
"""What workers log. They outlive a test, so only a further line counts."""

Tell = Callable[[str], None]


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Print a figure, whatever pytest captures."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}")

    return say


def has_stored_checkpoint(stage: Stage, asked: Asked) -> bool:
    assert isinstance(stage.storage, ObjectStorage)
    stored = [each.key for each in stage.storage.bucket.listing("guilds")]
    return any(asked.job_id in key and key.endswith(STATE) for key in stored)


def ends_well(stage: Stage, asked: Asked, *, attempts: int) -> None:
    """Check that a training ends as if nothing had been: one card, one model, nobody told of anything."""
    stage.wait_until_shown("**Done**", asked)
    job = stage.job(asked)
    assert (job.state, job.attempt, job.error) == (JobState.DONE, attempts, None)
    assert len(stage.read_model(asked)) == 20
    assert stage.strays() == []


def are_posted_once(stage: Stage, expected: dict[int, int]) -> None:
    stage.wait(lambda: stage.posts() == expected)
    time.sleep(SECOND_POST_S)
    assert stage.posts() == expected
    assert stage.post_rows() == {guild_id: [PostState.SENT] * count for guild_id, count in expected.items()}
    assert stage.strays() == []


def one_more(posts: dict[int, int]) -> dict[int, int]:
    return {guild_id: count + 1 for guild_id, count in posts.items()}


def test_the_training_of_a_killed_worker_goes_on_elsewhere(stage: Stage, tell: Tell):
    asked = stage.ask(stage.guild_ids[0], seconds=25)
    killed = stage.wait_until_trained(asked)
    stage.wait(lambda: has_stored_checkpoint(stage, asked))
    (other,) = (worker for worker in stage.workers() if worker is not killed)
    resumed = other.said().count(RESUMED)
    killed.kill()
    seen_at = stage.host(killed.name).seen_at
    stage.wait(other.trainers)
    late_s = (datetime.datetime.now(datetime.UTC) - seen_at).total_seconds()
    tell(f"the training went on {late_s:.1f} s after the killed worker's last sign of life")
    assert late_s <= RECOVERY_S
    stage.wait(lambda: other.said().count(RESUMED) > resumed)
    ends_well(stage, asked, attempts=2)


def test_the_servers_of_a_killed_shard_catch_up_and_the_others_notice_nothing(stage: Stage):
    before = stage.posts()
    trainings = [stage.ask(stage.of_shard(shard_id)[0], seconds=20) for shard_id in range(SHARDS)]
    stage.wait_until_shown("**Training**", *trainings)
    stage.members["bot-1"].kill()
    stage.communities.let_be_due()
    theirs, others = stage.of_shard(1), stage.of_shard(0)
    expected = one_more(before)
    stage.wait_until_shown("**Done**", trainings[0])
    stage.wait(lambda: all(stage.communities.posts(guild_id) == expected[guild_id] for guild_id in others))
    stage.wait(lambda: stage.job(trainings[1]).state is JobState.DONE)
    assert "**Training**" in stage.shown(trainings[1]), "nobody else touches its cards"
    assert {guild_id: stage.communities.posts(guild_id) for guild_id in theirs} == {
        guild_id: before[guild_id] for guild_id in theirs
    }
    stage.start_missing()
    for asked in trainings:
        ends_well(stage, asked, attempts=1)
    are_posted_once(stage, expected)


def test_a_frozen_worker_that_wakes_does_nothing_twice(stage: Stage):
    asked = stage.ask(stage.guild_ids[1], seconds=35)
    frozen = stage.wait_until_trained(asked)
    lost = frozen.said().count(LOST)
    frozen.signal(signal.SIGSTOP)
    try:
        (other,) = (worker for worker in stage.workers() if worker is not frozen)
        time.sleep(FROZEN_S)
        stage.wait(other.trainers)
    finally:
        frozen.signal(signal.SIGCONT)
    stage.wait(lambda: frozen.said().count(LOST) > lost)
    assert "Failed" not in stage.shown(asked)
    ends_well(stage, asked, attempts=2)
    assert "training failed" not in frozen.said()
    # It is at work as before.
    both = [stage.ask(guild_id, seconds=8) for guild_id in stage.guild_ids[:2]]
    stage.wait(lambda: all(worker.trainers() for worker in stage.workers()))
    for each in both:
        ends_well(stage, each, attempts=1)


def test_what_falls_into_an_outage_of_the_database_is_done_afterwards(stage: Stage):
    expected = one_more(stage.posts())
    asked = stage.ask(stage.guild_ids[2], seconds=12)
    stage.wait_until_trained(asked)
    stage.communities.let_be_due(in_s=3)
    assert stage.postgresql is not None
    stage.postgresql.crash()
    time.sleep(AWAY_S)
    stage.postgresql.start()
    ends_well(stage, asked, attempts=1)
    are_posted_once(stage, expected)
    assert [name for name, member in stage.members.items() if member.process.poll() is not None] == []


def test_what_falls_into_an_outage_of_the_storage_is_done_afterwards(stage: Stage):
    before = stage.posts()
    asked = stage.ask(stage.guild_ids[3], seconds=10)
    stage.wait_until_trained(asked)
    without_copy = stage.guild_ids[0]
    stage.publish(without_copy, "Prospero")
    assert stage.s3 is not None
    stage.s3.proxy.away = True
    stage.communities.let_be_due()
    time.sleep(AWAY_S)
    assert stage.job(asked).state is JobState.TRAINING, "nothing is said of a model that is not stored"
    assert stage.posts()[without_copy] == before[without_copy]
    stage.s3.proxy.away = False
    ends_well(stage, asked, attempts=1)
    are_posted_once(stage, one_more(before))
