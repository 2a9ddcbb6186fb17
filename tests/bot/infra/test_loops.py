"""No error ends a loop of a cog."""

import asyncio

from bot.infra.discord.loops import steadily
from tests.support.patience import PATIENCE_S


class Cog:
    def __init__(self) -> None:
        self.turns = 0
        self.third = asyncio.Event()

    @steadily("trials", seconds=0.01)
    async def trial(self) -> None:
        self.turns += 1
        if self.turns == 3:
            self.third.set()
        raise RuntimeError("of the test")


async def test_a_loop_goes_on_after_an_error_in_its_own_time_and_each_cog_has_its_own():
    cog, idle = Cog(), Cog()
    cog.trial.start()
    try:
        await asyncio.wait_for(cog.third.wait(), PATIENCE_S)
        assert cog.trial.is_running()
        assert not idle.trial.is_running()
    finally:
        cog.trial.cancel()
    assert idle.turns == 0
