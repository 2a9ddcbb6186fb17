"""A text that copies its corpus is written again, kept from copying, and the same request gives it again."""

from collections.abc import Callable
from pathlib import Path

import pytest
import simcord

from bot.errors import SamplerUnavailable
from bot.generation.sampler_protocol import SampledText, SamplerRequest
from tests.support.bot.world import Place, World, answer

COPIED = 70


class Sampler:
    """Writes copies, but where it is asked not to: then as many characters as `original` says are copied."""

    def __init__(self, original: Callable[[], int]) -> None:
        self.asked: list[tuple[bool, int, int]] = []
        self._original = original

    async def samples(self, request: SamplerRequest) -> tuple[SampledText, ...]:
        options = request.options
        self.asked.append((request.original, options.random_seed, options.count))
        copied = self._original() if request.original else COPIED
        return tuple(
            SampledText("", f"text {number}", options.random_seed + number, copied)
            for number in range(options.count)
        )


@pytest.fixture
def stratford(world: World, trained_bundle: Path) -> Place:
    place = world.place()
    world.give_model(place, trained_bundle)
    return place


def marked(message: simcord.ResponseMessage) -> int:
    return sum("are copied from the corpus" in embed.footer.text for embed in message.embeds)


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_every_copy_of_a_message_is_written_again_with_its_own_random_seed(
    world: World, stratford: Place, monkeypatch: pytest.MonkeyPatch, count: int
):
    sampler = Sampler(lambda: 0)
    monkeypatch.setattr(world.bot.pool, "samples", sampler.samples)
    sent = answer(await stratford.member.slash(stratford.channel, "generate", count=count, random_seed=7))
    assert marked(sent) == 0
    assert sampler.asked[0] == (False, 7, count)
    assert sorted(sampler.asked[1:]) == [(True, 7 + number, 1) for number in range(count)]
    assert all(f"random seed {7 + number}" in embed.footer.text for number, embed in enumerate(sent.embeds))


@pytest.mark.parametrize(("copied", "shown"), [(60, 60), (90, COPIED)])
async def test_where_there_is_no_way_around_a_copy_the_shorter_one_is_sent_and_says_so(
    world: World, stratford: Place, monkeypatch: pytest.MonkeyPatch, copied: int, shown: int
):
    monkeypatch.setattr(world.bot.pool, "samples", Sampler(lambda: copied).samples)
    sent = answer(await stratford.member.slash(stratford.channel, "generate"))
    assert f"{shown} characters in a row are copied" in sent.embeds[0].footer.text


async def test_if_no_sampler_answers_again_the_copy_is_sent_and_says_so(
    world: World, stratford: Place, monkeypatch: pytest.MonkeyPatch
):
    def unavailable() -> int:
        raise SamplerUnavailable("too late")

    monkeypatch.setattr(world.bot.pool, "samples", Sampler(unavailable).samples)
    assert marked(answer(await stratford.member.slash(stratford.channel, "generate"))) == 1
