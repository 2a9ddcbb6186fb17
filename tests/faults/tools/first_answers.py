"""Takes the time until Discord has its first answer to an interaction."""

from __future__ import annotations

import time
from typing import Any

import discord

_METHODS = ("defer", "send_message", "edit_message", "send_modal", "autocomplete")


class FirstAnswers:
    """Seconds to the first answer of each use, by what was used; watches the whole process."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._what, self._begun = "", 0.0
        for name in _METHODS:
            self._watch(name)

    def begin(self, what: str) -> None:
        """Something is used now."""
        self._what, self._begun = what, time.perf_counter()

    def slowest(self) -> tuple[str, float]:
        """What was answered last of all, and after how long."""
        what = max(self.seconds, key=self.seconds.__getitem__)
        return what, self.seconds[what]

    def _watch(self, name: str) -> None:
        real = getattr(discord.InteractionResponse, name)

        async def noted(response: Any, *rest: Any, **more: Any) -> Any:
            self.seconds.setdefault(self._what, time.perf_counter() - self._begun)
            return await real(response, *rest, **more)

        setattr(discord.InteractionResponse, name, noted)
