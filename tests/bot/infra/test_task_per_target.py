"""One task a target, so many in all; one that fails or hangs is no other's business."""

import asyncio

from bot.infra.discord.task_per_target import Lanes, patiently


async def test_targets_do_not_wait_for_each_other():
    lanes, done, go_on = Lanes(2), [], asyncio.Event()

    async def work(name: str, *, waits: bool = False, fails: bool = False) -> None:
        if waits:
            await go_on.wait()
        if fails:
            raise ValueError(name)
        done.append(name)

    slow = lanes.start("a", work("slow", waits=True))
    assert not lanes.is_free("a")
    failing = lanes.start("b", work("failing", fails=True))
    assert not lanes.is_free("c"), "no more than two"
    await patiently([slow, failing], 0.05)
    assert lanes.is_free("b")
    await patiently([lanes.start("b", work("quick"))], 1.0)
    assert done == ["quick"]
    go_on.set()
    await patiently([slow], 1.0)
    assert done == ["quick", "slow"]
    assert not lanes.busy


async def test_what_is_closed_before_it_began_leaves_nothing():
    lanes = Lanes(1)

    async def never() -> None:
        raise AssertionError

    lanes.start("a", never())
    await lanes.close()
    assert not lanes.busy
