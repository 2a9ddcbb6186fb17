"""The short form of every fault of `make faults`: the same steps with small numbers."""

import pytest

from tests.faults import harness
from tests.faults.__main__ import in_lanes


@pytest.mark.parametrize("name", harness.whole_run())
def test_the_bounds_hold(name: str) -> None:
    outcome = harness.inject(name, short=True)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert not outcome.missed, "\n".join(outcome.lines())


@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_each_is_injected_once_whichever_lane_is_free(lanes: int) -> None:
    injected: list[str] = []
    in_lanes(injected.append, ["busy", "busier"], ["waits", "waits longer", "waits too"], lanes)
    assert sorted(injected) == ["busier", "busy", "waits", "waits longer", "waits too"]


def test_what_breaks_in_a_lane_is_not_passed_over() -> None:
    def breaks(name: str) -> None:
        raise OSError(name)

    with pytest.raises(OSError, match="busy"):
        in_lanes(breaks, ["busy"], [], 2)
