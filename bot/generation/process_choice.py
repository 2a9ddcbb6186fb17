"""Decides which texts the quick processes write and which the slow one, so that none holds up the others.

Models that were made from a pretrained base have a process of their own, whose memory holds the base once.

The slow process gets large models, models that proved slow, and servers that ask for more than others at the
same time: the operating system shares a processor between processes far more finely than one process could.
Apart from reading the sizes of files, this is pure.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

# A bundle up to this size goes to a quick process before its speed is known.
LIGHT_JSON_BYTES = 512 << 10
LIGHT_BYTES = 16 << 20
# A loaded model that takes no longer than this is quick, whatever its size.
QUICK_LOAD_S = 1.0
QUICK_STEP_S = 0.005
# A model whose step takes longer than this is slow, even if it was quick before.
SLOW_STEP_S = 0.02
REMEMBERED = 1000

# A server's use: texts written at a time, summed over about so many seconds.
MEMORY_S = 10.0
PRESENT_S = 3.0
GREEDY_FACTOR = 1.5
GREEDY_LEAST = 5.0


class Lane(Enum):
    """Where a text is written: by the quick processes, or apart from them by one of the others."""

    QUICK = "quick"
    APART = "apart"
    PRETRAINED = "pretrained"


class Weights:
    """Which bundles are heavy: judged by their files at first, then by the times they took."""

    def __init__(self) -> None:
        self._heavy: OrderedDict[tuple[Path, ...], bool] = OrderedDict()

    def is_heavy(self, *bundles: Path) -> bool:
        """Whether the slow process should have a bundle, or the blend of two; reads the disk the first time.

        Args:
            *bundles: paths of the bundles.
        """
        known = self._heavy.get(bundles)
        if known is None:
            known = any(map(self.is_heavy if len(bundles) > 1 else _is_large, bundles))
            self._remember(bundles, heavy=known)
        return known

    def took(self, *bundles: Path, load_s: float, step_s: float) -> None:
        """Remember what a sampler measured.

        Args:
            *bundles: paths of the bundles.
            load_s: seconds that loading took.
            step_s: seconds that one step of its texts took.
        """
        if load_s <= QUICK_LOAD_S and step_s <= QUICK_STEP_S:
            self._remember(bundles, heavy=False)
        elif step_s > SLOW_STEP_S:
            self._remember(bundles, heavy=True)

    def _remember(self, bundles: tuple[Path, ...], *, heavy: bool) -> None:
        self._heavy[bundles] = heavy
        self._heavy.move_to_end(bundles)
        if len(self._heavy) > REMEMBERED:
            self._heavy.popitem(last=False)


def _is_large(bundle: Path) -> bool:
    try:
        sizes = {file.name: file.stat().st_size for file in bundle.iterdir()}
    except OSError:
        return False  # the sampler will refuse it at once
    described = sum(size for name, size in sizes.items() if name.endswith(".json"))
    return described > LIGHT_JSON_BYTES or sum(sizes.values()) > LIGHT_BYTES


@dataclass
class _Use:
    """How much a server has used the samplers.

    Attributes:
        at_work: texts being written.
        had: text-seconds; older ones count less.
        at: clock time up to which `had` is counted.
        seen: clock time of its last request.
    """

    at_work: int = 0
    had: float = 0.0
    at: float = 0.0
    seen: float = 0.0


class Usage:
    """How much each server has used the samplers in the last seconds.

    Args:
        clock: returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._uses: dict[int, _Use] = {}

    def asks(self, server: int) -> None:
        """Record that a server asks for something."""
        now = self._clock()
        self._uses = {each: use for each, use in self._uses.items() if self._is_present(use, now)}
        self._uses.setdefault(server, _Use(at=now)).seen = now

    def changes(self, server: int, texts: int) -> None:
        """Record that so many more texts (fewer, if negative) are being written for a server."""
        use = self._uses.setdefault(server, _Use(at=self._clock()))
        self._count(use)
        use.at_work += texts
        use.seen = self._clock()

    def is_greedy(self, server: int) -> bool:
        """Whether a server has used more than the others who are here; if so, it gets the slow process."""
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
