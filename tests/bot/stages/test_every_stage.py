"""What people see is the same at every stage: cards, models, posts, each once."""

import time

import pytest

from models import JobState, PostState
from tests.support.bot.stages import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SECOND_POST_S = 4.0
"""Longer than a bot takes to look for what is due: a second post would be there by then."""


def test_every_training_ends_on_one_card_with_a_model_that_writes(stage: Stage):
    trainings = [stage.ask(guild_id) for guild_id in stage.guild_ids for _ in range(2)]
    lost = stage.ask(stage.guild_ids[0], uploaded=False)
    stage.wait_until_shown("**Done**", *trainings)
    stage.wait_until_shown("**Failed**", lost)
    assert "Its text is no longer stored; upload it again" in stage.shown(lost)
    assert {(stage.job(asked).state, stage.job(asked).attempt) for asked in trainings} == {(JobState.DONE, 1)}
    texts = {stage.read_model(asked) for asked in trainings}
    assert [len(text) for text in texts] == [20], "one bundle, so one text"
    assert stage.strays() == []


def test_every_due_post_is_posted_once(stage: Stage):
    before = stage.posts()
    for number in (1, 2):
        stage.communities.let_be_due()
        expected = {guild_id: count + number for guild_id, count in before.items()}
        stage.wait(lambda expected=expected: stage.posts() == expected)
    time.sleep(SECOND_POST_S)
    assert stage.posts() == expected
    assert stage.post_rows() == {guild_id: [PostState.SENT] * count for guild_id, count in expected.items()}
    assert stage.strays() == []
