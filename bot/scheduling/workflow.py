"""A post as a durable workflow, one a slot: DBOS takes it up again if the process dies in it.

Every process of the application knows the workflow, but only a bot is connected to Discord. One that another
process took up comes to nothing there, and the bot starts it anew.
"""

import datetime
from typing import TYPE_CHECKING

from dbos import DBOS, SetWorkflowID

from bot.jobs.queue import ACTIVE
from bot.scheduling.delivery import Slot

if TYPE_CHECKING:
    from bot.scheduling.poster import Poster

_poster: "Poster | None" = None


def bind(poster: "Poster | None") -> None:
    """Give the steps what they need; DBOS knows them as functions of this module."""
    global _poster
    _poster = poster


def bound() -> "Poster | None":
    """The poster of this process."""
    return _poster


@DBOS.workflow(name="post")
def post(guild_id: int, schedule_id: int, slot: str) -> None:
    """Attempt to post a slot; its row says what came of it."""
    deliver(guild_id, schedule_id, slot)


@DBOS.step(name="deliver")
def deliver(guild_id: int, schedule_id: int, slot: str) -> None:
    """Hand the slot to the bot's event loop, and wait."""
    if _poster is not None:
        _poster.deliver((guild_id, schedule_id, datetime.datetime.fromisoformat(slot)))


def workflow_id(slot: Slot) -> str:
    """The same for every attempt at a slot."""
    _guild_id, schedule_id, moment = slot
    return f"post-{schedule_id}-{moment.timestamp():.0f}"


def start(slot: Slot) -> bool:
    """Start the slot's workflow unless it runs, and say whether it was started; blocks for a moment."""
    guild_id, schedule_id, moment = slot
    status = DBOS.get_workflow_status(workflow_id(slot))
    if status is not None:
        if status.status in ACTIVE:
            return False
        forget([slot])  # an attempt that came to nothing
    with SetWorkflowID(workflow_id(slot)):
        DBOS.start_workflow(post, guild_id, schedule_id, moment.isoformat())
    return True


def forget(slots: list[Slot]) -> None:
    """Delete the record of workflows that have ended: the rows of the slots keep what matters."""
    DBOS.delete_workflows([workflow_id(slot) for slot in slots])
