"""Fair turns: which of the busy users writes next."""

from __future__ import annotations

from collections.abc import Collection


class Turns:
    """Counts the seconds of work for each user, so that the one with the fewest comes next."""

    def __init__(self) -> None:
        """Start with no user."""
        self._used_s: dict[str, float] = {}

    def join(self, user: str, busy: Collection[str]) -> None:
        """Count a user among the busy ones.

        A user who was away has not saved up time: counting starts at the lowest of the busy users.

        Args:
            user: name of the user.
            busy: the users whose texts are being written; all others are forgotten.
        """
        if user in busy:
            return
        self._used_s = {each: self.used_s(each) for each in busy}
        self._used_s[user] = min(self._used_s.values(), default=0.0)

    def used_s(self, user: str) -> float:
        """Return the seconds of work for a user."""
        return self._used_s.get(user, 0.0)

    def add(self, user: str, seconds: float) -> None:
        """Count work for a user."""
        self._used_s[user] = self.used_s(user) + seconds
