"""Asks each part that a process needs whether it answers, each within a time of its own."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from bot.errors import UserError
from models import DatabaseError

Check = Callable[[], None]
"""Blocks until the part answered; raises `NotReady`, `DatabaseError` or `OSError` if it does not."""

PATIENCE_S = 3.0
WELL = "ok"


class NotReady(UserError):
    """A part cannot be used now; `str()` is one line that says why."""


class Readiness:
    """The parts of a process, by name.

    Args:
        parts: a check for each part.
        patience_s: seconds after which a part counts as not ready.
    """

    def __init__(self, parts: Mapping[str, Check], patience_s: float = PATIENCE_S) -> None:
        self._parts = dict(parts)
        self._patience_s = patience_s
        self._begun: dict[str, float] = {}

    async def look(self) -> dict[str, str]:
        """Return for each part `WELL`, or one line that says why it is not ready."""
        found = await asyncio.gather(*(self._ask(name, check) for name, check in self._parts.items()))
        return dict(zip(self._parts, found, strict=True))

    async def _ask(self, name: str, check: Check) -> str:
        # A check of a network folder may hang for good. Until it ends, no second one is begun.
        if name in self._begun:
            return self._silent(name)
        answer: Future[str] = Future()
        answer.set_running_or_notify_cancel()  # whoever stops waiting does not cancel the check
        self._begun[name] = time.monotonic()

        def run() -> None:
            said = _said(check)
            self._begun.pop(name, None)
            answer.set_result(said)

        # A daemon, so that a check that hangs does not keep the process from ending.
        threading.Thread(target=run, name=f"ready-{name}", daemon=True).start()
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.wrap_future(answer)
        except TimeoutError:
            return self._silent(name)

    def _silent(self, name: str) -> str:
        return f"no answer for {time.monotonic() - self._begun.get(name, time.monotonic()):.0f} s"


def _said(check: Check) -> str:
    try:
        check()
    except (NotReady, DatabaseError) as error:
        return " ".join(str(error).split())
    except OSError as error:
        return error.strerror or " ".join(str(error).split()) or type(error).__name__
    except Exception as error:  # noqa: BLE001 - whatever a part raises, the others are still asked
        # The text of a strange error may hold an address with its password.
        return f"it failed ({type(error).__name__})"
    return WELL
