from bot.infra.discord.token_bucket import TokenBucket


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_over_any_time_no_more_than_the_rate_and_one_burst_goes_through():
    clock = Clock()
    bucket = TokenBucket(3.0, 9, clock)
    taken = []
    for _ in range(1000):
        clock.now += 0.05
        if bucket.take():
            taken.append(clock.now)
    assert len(taken) <= 9 + 3 * 50 + 1
    assert len(taken) >= 3 * 50
    later = [moment for moment in taken if moment > 110]
    assert all(sum(start <= moment < start + 1 for moment in later) <= 4 for start in later)


def test_what_cannot_wait_is_paid_back_by_what_can():
    clock = Clock()
    bucket = TokenBucket(1.0, 2, clock)
    for _ in range(4):
        bucket.owe()
    clock.now += 2
    assert not bucket.take()
    clock.now += 1
    assert bucket.take()
    clock.now += 1000
    assert [bucket.take() for _ in range(3)] == [True, True, False]
