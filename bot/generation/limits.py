"""How often people may ask for texts: a cooldown for each person, and so many open requests for a server.

Both are kept in memory; a restart may forget them.
"""

import contextlib
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator

from bot.errors import UserError
from bot.i18n import _, ngettext

# People whose last request is remembered.
REMEMBERED = 20_000
# Requests of one server that may be open at a time: those being written and those that wait.
MOST_OPEN = 48


class OnCooldown(UserError):
    """The person asked again too soon.

    Args:
        left_s: seconds until they may ask again.
    """

    def __init__(self, left_s: float) -> None:
        seconds = max(1, math.ceil(left_s))
        super().__init__(
            ngettext(
                "One moment, please: you can ask for the next text in {seconds} second.",
                "One moment, please: you can ask for the next text in {seconds} seconds.",
                seconds,
            ).format(seconds=seconds)
        )


class ServerBusy(UserError):
    """The server has as many open requests as it may have.

    Args:
        most: how many those are.
    """

    def __init__(self, most: int) -> None:
        super().__init__(
            _("This server already has {number} texts on the way. Try again in a moment.").format(number=most)
        )


class Cooldowns:
    """When each person last asked, by server.

    Args:
        clock: returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._asked: OrderedDict[tuple[int, int], float] = OrderedDict()

    def take(self, guild_id: int, user_id: int, cooldown_s: float) -> None:
        """Record that a person asks now.

        Args:
            guild_id: Discord id of the server.
            user_id: Discord id of the person.
            cooldown_s: seconds that must lie between two requests of a person; 0 for none.

        Raises:
            OnCooldown: their last request is more recent than that.
        """
        key, now = (guild_id, user_id), self.clock()
        left_s = self._asked.get(key, -math.inf) + cooldown_s - now
        if left_s > 0:
            raise OnCooldown(left_s)
        self._asked[key] = now
        self._asked.move_to_end(key)
        if len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)


class Admission:
    """Counts each server's open requests, and refuses more than enough before any work is done for them.

    Args:
        most: requests of one server that may be open at a time.
    """

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._open: Counter[int] = Counter()

    @contextlib.contextmanager
    def admitted(self, guild_id: int) -> Iterator[None]:
        """Count a request as open while the block runs.

        Args:
            guild_id: Discord id of the server that asks.

        Raises:
            ServerBusy: the server has too many open requests.
        """
        if self._open[guild_id] >= self._most:
            raise ServerBusy(self._most)
        self._open[guild_id] += 1
        try:
            yield
        finally:
            self._open[guild_id] -= 1
            if not self._open[guild_id]:
                del self._open[guild_id]
