"""Which texts are written by the quick processes and which apart from them, so that none holds up the others.

Apart goes a model that is large, or that proved slow, and a server that asks for more than others who are
there: the system shares the processor between processes far more finely than one process could.
Pure but for a look at files' sizes.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

# What a quick process may be asked to read without having been seen to be quick.
LIGHT_JSON_BYTES = 512 << 10
LIGHT_BYTES = 16 << 20
# A loaded model that takes no longer than this is quick, whatever its size.
QUICK_LOAD_S = 1.0
QUICK_STEP_S = 0.005
# A model that was quick and takes so much longer is not.
SLOW_STEP_S = 0.02
REMEMBERED = 1000

# Texts that are written at a time, summed over so many seconds.
MEMORY_S = 10.0
PRESENT_S = 3.0
GREEDY_FACTOR = 1.5
GREEDY_LEAST = 5.0


class Lane(Enum):
    """Where a text is written."""

    QUICK = "quick"
    APART = "apart"


class Weights:
    """What is known of bundles: by their files at first, then by how long they took."""

    def __init__(self) -> None:
        self._heavy: OrderedDict[str, bool] = OrderedDict()

    def is_heavy(self, bundle: Path) -> bool:
        """Whether the quick processes are to be spared this bundle; looks at the disk the first time."""
        known = self._heavy.get(str(bundle))
        if known is None:
            known = _is_large(bundle)
            self._remember(bundle, heavy=known)
        return known

    def took(self, bundle: Path, *, load_s: float, step_s: float) -> None:
        """Remember what a sampler measured."""
        if load_s <= QUICK_LOAD_S and step_s <= QUICK_STEP_S:
            self._remember(bundle, heavy=False)
        elif step_s > SLOW_STEP_S:
            self._remember(bundle, heavy=True)

    def _remember(self, bundle: Path, *, heavy: bool) -> None:
        self._heavy[str(bundle)] = heavy
        self._heavy.move_to_end(str(bundle))
        if len(self._heavy) > REMEMBERED:
            self._heavy.popitem(last=False)


def _is_large(bundle: Path) -> bool:
    try:
        sizes = {file.name: file.stat().st_size for file in bundle.iterdir()}
    except OSError:
        return False  # it will be refused at once
    described = sum(size for name, size in sizes.items() if name.endswith(".json"))
    return described > LIGHT_JSON_BYTES or sum(sizes.values()) > LIGHT_BYTES


@dataclass
class _Use:
    """What a server has had.

    Attributes:
        at_work: texts that are being written.
        had: text-seconds, of which the older ones count less.
        at: until when these are counted.
        seen: when it last asked for something.
    """

    at_work: int = 0
    had: float = 0.0
    at: float = 0.0
    seen: float = 0.0


class Usage:
    """How much of the samplers each server has had of late.

    Args:
        clock: seconds that go on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._uses: dict[int, _Use] = {}

    def asks(self, server: int) -> None:
        """A server asks for something."""
        now = self._clock()
        self._uses = {each: use for each, use in self._uses.items() if self._is_present(use, now)}
        self._uses.setdefault(server, _Use(at=now)).seen = now

    def changes(self, server: int, texts: int) -> None:
        """So many texts more, or less, are being written for it."""
        use = self._uses.setdefault(server, _Use(at=self._clock()))
        self._count(use)
        use.at_work += texts
        use.seen = self._clock()

    def is_greedy(self, server: int) -> bool:
        """Whether it has had more than others who are here, so that its texts are to be written apart."""
        now = self._clock()
        others = [
            self._count(use)
            for each, use in self._uses.items()
            if each != server and now - use.seen < PRESENT_S
        ]
        own = self._uses.get(server)
        if own is None or not others:
            return False
        return self._count(own) > GREEDY_FACTOR * min(others) + GREEDY_LEAST

    def _count(self, use: _Use) -> float:
        now = self._clock()
        kept = math.exp((use.at - now) / MEMORY_S)
        use.had = use.had * kept + use.at_work * MEMORY_S * (1 - kept)
        use.at = now
        return use.had

    @staticmethod
    def _is_present(use: _Use, now: float) -> bool:
        return use.at_work > 0 or now - use.seen < 6 * MEMORY_S
