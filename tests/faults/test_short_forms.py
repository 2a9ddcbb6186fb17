"""The short form of every fault of `make faults`: the same steps with small numbers."""

import pytest

from tests.faults import harness


@pytest.mark.parametrize("name", harness.names(short=True))
def test_the_bounds_hold(name: str) -> None:
    outcome = harness.inject(name, short=True)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert not outcome.missed, "\n".join(outcome.lines())
