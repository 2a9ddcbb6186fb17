"""How soon a person may ask for the next text: in memory, since nothing is lost with it."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from bot.errors import UserError
from bot.i18n import ngettext

REMEMBERED = 20_000


class OnCooldown(UserError):
    """The person asked again too soon."""

    def __init__(self, left_s: float) -> None:
        seconds = max(1, math.ceil(left_s))
        super().__init__(
            ngettext(
                "One moment, please: you can ask for the next text in {seconds} second.",
                "One moment, please: you can ask for the next text in {seconds} seconds.",
                seconds,
            ).format(seconds=seconds)
        )


class Cooldowns:
    """When each person last asked, by server.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._asked: OrderedDict[tuple[int, int], float] = OrderedDict()

    def take(self, guild_id: int, user_id: int, cooldown_s: float) -> None:
        """Let a person ask, and remember it.

        Raises:
            OnCooldown: they asked less than `cooldown_s` ago.
        """
        key, now = (guild_id, user_id), self.clock()
        left_s = self._asked.get(key, -math.inf) + cooldown_s - now
        if left_s > 0:
            raise OnCooldown(left_s)
        self._asked[key] = now
        self._asked.move_to_end(key)
        if len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
