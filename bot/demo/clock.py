"""The playground's clock: it advances the simulated Discord's time, and refreshes the page.

SimCord does one thing at a time and refuses a second one. A refused click is lost, or the page accepts no
further one, so clicks and ticks wait for each other here.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import simcord

from models import Database, scheduled_posts, schedules, training_jobs
from models.tables import utc_now

TICK_S = 1.0


async def keep_current(
    env: simcord.Env, page: simcord.Preview, database: Database, channel: simcord.ChannelHandle
) -> None:
    """Tick until cancelled: keep the host's time; it passes while a card has changed or a post is due."""
    turn = asyncio.Lock()
    _let_clicks_wait(env, page, turn)
    shown = _seen(channel)
    while True:
        await asyncio.sleep(TICK_S)
        has_news = await asyncio.to_thread(_has_news, database)
        async with turn:
            # The page is being captured, or the bot is very busy; the next tick will do.
            with contextlib.suppress(simcord.SetupError, TimeoutError):
                if has_news:
                    await env.advance_time(max(TICK_S, _behind_s(env)))
                _keep_up(env)
                # A post may have been written and sent between two ticks.
                if (seen := _seen(channel)) != shown:
                    await page.refresh()
                    shown = seen


def _behind_s(env: simcord.Env) -> float:
    """Return how many seconds the simulated time is behind the host's, which the page compares it with."""
    return (utc_now() - env.now()).total_seconds()


def _keep_up(env: simcord.Env) -> None:
    """Set the simulated time to the host's; timers wait for the next `advance_time`: an idle bot rests."""
    env.backend.clock.advance(max(0.0, _behind_s(env)))


def _let_clicks_wait(env: simcord.Env, page: simcord.Preview, turn: asyncio.Lock) -> None:
    """Handle each click in turn, on the page as it is then, and now.

    A click contains the revision of the page, and SimCord refuses an old one. Its target is looked up anew
    anyway, so a refresh in between must not lose the click.
    """
    carry_out = page._action

    async def in_turn(context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        async with turn:
            _keep_up(env)
            # SimCord does this at a refresh alone; what a click shows would lie in the future.
            page._advance_presentation_time()
            if "published_revision" in body:
                body = {**body, "published_revision": page._get_page(context_id).revision}
            return await carry_out(context_id, body)

    page._action = in_turn  # type: ignore[method-assign]


def _seen(channel: simcord.ChannelHandle) -> set[tuple[int, datetime | None]]:
    """Return the messages that need a refresh; the click itself shows its answer."""
    return {
        (message.id, message.edited_at)
        for message in channel.history()
        if message.edited_at is not None or message.interaction_metadata is None
    }


def _has_news(database: Database) -> bool:
    with database.read() as session:
        return bool(
            training_jobs.unfinished(session)
            or training_jobs.changed_cards(session, limit=1)
            or schedules.due(session, utc_now(), limit=1)
            or schedules.to_tell(session, limit=1)
            or scheduled_posts.under_way(session, limit=1)
        )
