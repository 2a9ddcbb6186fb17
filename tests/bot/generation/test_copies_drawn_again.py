"""A text that copies its corpus is drawn again, as often as is promised, however many are asked for."""

from collections.abc import Callable
from pathlib import Path

import pytest
import simcord

from bot.errors import SamplerUnavailable
from bot.generation.sampler_protocol import SampledText, SamplerRequest
from bot.generation.service import REDRAWN, REDRAWN_OF_A_BASE
from tests.support.bot.world import Place, World, answer

COPIED = 70


class Sampler:
    """Writes copies: of each text so many draws before one that is none."""

    def __init__(self, copies: Callable[[int], int]) -> None:
        self.counts: list[int] = []
        self._copies = copies

    async def samples(self, request: SamplerRequest) -> tuple[SampledText, ...]:
        options = request.options
        self.counts.append(options.count)
        drawn = sum(self.counts)
        return tuple(
            SampledText("", f"text {number}", options.random_seed + number, self._copies(drawn))
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
async def test_every_text_of_a_message_gets_all_its_draws(
    world: World, stratford: Place, monkeypatch: pytest.MonkeyPatch, count: int
):
    sampler = Sampler(lambda drawn: COPIED)
    monkeypatch.setattr(world.bot.pool, "samples", sampler.samples)
    sent = answer(await stratford.member.slash(stratford.channel, "generate", count=count))
    assert marked(sent) == count
    assert sampler.counts[0] == count
    assert sorted(sampler.counts[1:]) == sorted(REDRAWN * count)


async def test_a_draw_that_is_no_copy_is_sent_and_ends_the_search(
    world: World, stratford: Place, monkeypatch: pytest.MonkeyPatch
):
    sampler = Sampler(lambda drawn: 0 if drawn > 1 + REDRAWN[0] else COPIED)
    monkeypatch.setattr(world.bot.pool, "samples", sampler.samples)
    sent = answer(await stratford.member.slash(stratford.channel, "generate"))
    assert marked(sent) == 0
    assert sampler.counts == [1, *REDRAWN[:2]]


async def test_if_no_sampler_answers_again_the_copy_is_sent_and_says_so(
    world: World, stratford: Place, monkeypatch: pytest.MonkeyPatch
):
    def copies(drawn: int) -> int:
        if drawn > 1:
            raise SamplerUnavailable("too late")
        return COPIED

    monkeypatch.setattr(world.bot.pool, "samples", Sampler(copies).samples)
    assert marked(answer(await stratford.member.slash(stratford.channel, "generate"))) == 1


async def test_a_base_draws_again_once(world: World, stratford: Place, monkeypatch: pytest.MonkeyPatch):
    sampler = Sampler(lambda drawn: COPIED)
    monkeypatch.setattr(world.bot.pool, "samples", sampler.samples)
    monkeypatch.setattr("bot.generation.service.LLAMA", "linear")  # as if the model were a base's
    answer(await stratford.member.slash(stratford.channel, "generate"))
    assert sampler.counts == [1, *REDRAWN_OF_A_BASE]
