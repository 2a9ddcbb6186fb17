"""Tells who is dead from signs of life that stand still. Pure: no clock but the caller's, no database.

The times in the signs are never compared with a clock, because the clocks of two hosts may differ by an hour.
An observer only sees that a sign is another one than before, and counts on its own clock how long it is not.
"""

from collections.abc import Mapping

EVERY_S = 5.0
"""Seconds between two signs of life, and between two looks at those of others."""

DEAD_AFTER_S = 15.0
# After a longer gap between two looks the observer was frozen, or the database was away: others may have been
# too, so everyone gets the whole time again.
LONGEST_GAP_S = 2.5 * EVERY_S


class Watch:
    """Remembers since when each sign stands still."""

    def __init__(self) -> None:
        """Start without having seen anyone."""
        self._signs: dict[str, object] = {}
        self._since_s: dict[str, float] = {}
        self._looked_s = -float("inf")

    def look(self, signs: Mapping[str, object], now_s: float) -> None:
        """Take in the present signs.

        Args:
            signs: the sign of each process, by its name.
            now_s: seconds of the observer's own clock, which never jumps.
        """
        if now_s - self._looked_s > LONGEST_GAP_S:
            self._signs = {}
        self._looked_s = now_s
        changed = {name for name, sign in signs.items() if self._signs.get(name, self) != sign}
        self._since_s = {name: now_s if name in changed else self._since_s[name] for name in signs}
        self._signs = dict(signs)

    def forget(self) -> None:
        """Give everyone the whole time again: a look has failed."""
        self._looked_s = -float("inf")

    def is_dead(self, name: str) -> bool:
        """Return whether a sign has stood still for so long, by the last look, that its process is dead."""
        return name in self._since_s and self._looked_s - self._since_s[name] >= DEAD_AFTER_S
