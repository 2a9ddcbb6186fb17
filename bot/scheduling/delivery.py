"""One attempt to post one slot, so that it is there once whatever happens in between.

The row of the slot says "sending" before Discord is asked, and names the message afterwards. What is found
"sending" was perhaps sent: Discord knows a message by its nonce for some minutes, so until then it is sent
again with the same one. Later the slot counts as posted: a post too few is better than one twice.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import discord
import structlog
from sqlalchemy.orm import Session

from bot.commands.schedule_buttons import post_view
from bot.errors import SampleRefused, SamplerUnavailable
from bot.generation import SampleWish, generate
from bot.i18n import _
from bot.presentation import safe_text
from bot.presentation.sample_message import SampleMessage, sample_message
from bot.presentation.schedule_card import footer
from bot.sampling.pool import SamplerPool, ServerBusy
from bot.scheduling.hindrances import UNKNOWN_CHANNEL, Creators, Hindrance, PostChannel, channel_to_post
from models import (
    Corpus,
    Database,
    GuildSettings,
    PostState,
    Schedule,
    ScheduledPost,
    ScheduleState,
    TextModel,
    guilds,
    scheduled_posts,
    schedules,
    text_models,
)

log = structlog.stdlib.get_logger(__name__)

# Discord remembers nonces for "a few minutes".
NONCE_REMEMBERED = datetime.timedelta(minutes=2)
REASON_CHARACTERS = 300
TOO_MANY_REQUESTS = 429
FIRST_SERVER_ERROR = 500

Slot = tuple[int, int, datetime.datetime]
"""Guild, schedule and time."""


@dataclass(frozen=True)
class _Order:
    """All that a post is made from; the model is None where there is none."""

    post: ScheduledPost
    schedule: Schedule
    settings: GuildSettings
    model: TextModel | None
    corpus: Corpus | None

    @property
    def slot(self) -> Slot:
        return self.post.guild_id, self.post.schedule_id, self.post.slot

    @property
    def nonce(self) -> str:
        """The same in every attempt; Discord takes up to 25 characters."""
        return f"{self.post.schedule_id}-{self.post.slot.timestamp():.0f}"


class Delivery:
    """Posts slots.

    Args:
        client: to reach the channels.
        database: where schedules and slots are.
        pool: to sample with.
        now: the clock.
    """

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        pool: SamplerPool,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._client = client
        self._database = database
        self._pool = pool
        self._now = now
        self._creators = Creators(now)

    async def attempt(self, slot: Slot) -> bool:
        """Post the slot unless it is too late, and say whether all is done; False: try again later."""
        order = await self._database.call(_look_up, slot)
        if order is None:
            return True
        end = self._end_without_post(order)
        if end is not None:
            await self._end(order, *end)
            return True
        guild = self._client.get_guild(order.post.guild_id)
        if guild is None or guild.unavailable:
            log.info("the server of a post is not there for now", guild=order.post.guild_id)
            return False
        try:
            channel, message = await self._prepare(guild, order)
            await self._send(order, channel, message)
        except Hindrance as hindrance:
            await self._pause(order, str(hindrance))
        except (discord.HTTPException, aiohttp.ClientError, OSError, SamplerUnavailable, ServerBusy) as error:
            return await self._after(order, error)
        return True

    def _end_without_post(self, order: _Order) -> tuple[PostState, str] | None:
        now, post = self._now(), order.post
        if post.state is PostState.SENDING:
            if post.sending_at is not None and now - post.sending_at <= NONCE_REMEMBERED:
                return None
            return PostState.UNCONFIRMED, _("The bot ended while it was sending.")
        if now > post.expires_at:
            return PostState.MISSED, _("The bot was away for too long.")
        if post.requested_by is None and order.schedule.state is not ScheduleState.ACTIVE:
            return PostState.MISSED, _("The schedule was paused.")
        return None

    async def _prepare(self, guild: discord.Guild, order: _Order) -> tuple[PostChannel, SampleMessage]:
        """See that all it takes is there, and sample the text."""
        await self._creators.require_right(guild, order.schedule.created_by)
        channel = await channel_to_post(guild, order.schedule.channel_id, order.settings)
        if order.model is None:
            raise Hindrance(_("This server has no model to write with."))
        return channel, await self._sampled(order, order.model)

    async def _sampled(self, order: _Order, model: TextModel) -> SampleMessage:
        schedule = order.schedule
        wish = SampleWish(
            seed=schedule.seed,
            length=schedule.length,
            temperature=schedule.temperature,
            # The same in every attempt, so that it is the same text if it is sent twice.
            random_seed=order.post.random_seed,
        )
        try:
            generated = await generate(self._pool, model, order.settings, wish, corpus=order.corpus)
        except SampleRefused as refusal:
            reason = safe_text.safe_within(" ".join(str(refusal).split()), REASON_CHARACTERS)
            raise Hindrance(reason[:1].upper() + reason[1:]) from None
        message = sample_message(generated.samples)
        last = message.embeds[-1]
        last.set_footer(text=footer(schedule, last.footer.text or ""))
        return message

    async def _send(self, order: _Order, channel: PostChannel, message: SampleMessage) -> None:
        if order.post.state is PostState.DUE:
            begun = await self._database.call(_begin_sending, order.slot, self._now(), write=True)
            if begun is None:
                return  # stopped or removed while the text was sampled
        sent = await channel.send(
            embeds=message.embeds,
            files=message.files,
            view=post_view(order.schedule.id),
            nonce=order.nonce,
        )
        model_id = order.model.id if order.model else None
        await self._database.call(_sent, order.slot, sent.id, model_id, write=True)
        log.info("posted", guild=order.post.guild_id, schedule=order.schedule.id, late_s=self._late_s(order))

    async def _after(self, order: _Order, error: Exception) -> bool:
        """Decide about an attempt that failed: whose fault it is, and whether the message may be there."""
        if isinstance(error, discord.HTTPException) and error.status not in (TOO_MANY_REQUESTS, 0):
            if isinstance(error, discord.Forbidden):
                await self._pause(order, _("I may not write in its channel any more."))
                return True
            if error.code == UNKNOWN_CHANNEL:
                await self._pause(order, _("Its channel is gone."))
                return True
            if error.status < FIRST_SERVER_ERROR:
                log.error("Discord refuses a post", schedule=order.schedule.id, exc_info=error)
                await self._end(order, PostState.FAILED, _("Discord refused the message."))
                return True
        never_there = isinstance(error, aiohttp.ClientConnectorError) or (
            isinstance(error, discord.HTTPException) and error.status == TOO_MANY_REQUESTS
        )
        if never_there:
            await self._database.call(scheduled_posts.not_sent, *order.slot, write=True)
        log.warning("not posted for now", schedule=order.schedule.id, error=str(error))
        return False

    async def _pause(self, order: _Order, reason: str) -> None:
        def pause(session: Session) -> None:
            guild_id, schedule_id, slot = order.slot
            schedules.pause(session, guild_id, schedule_id, reason=reason, notice=True)
            scheduled_posts.end(session, guild_id, schedule_id, slot, state=PostState.FAILED, error=reason)

        log.info("schedule paused", guild=order.post.guild_id, schedule=order.schedule.id, reason=reason)
        await self._database.call(pause, write=True)

    async def _end(self, order: _Order, state: PostState, error: str) -> None:
        def end(session: Session) -> None:
            scheduled_posts.end(session, *order.slot, state=state, error=error)

        log.info("not posted", schedule=order.schedule.id, state=state.value, late_s=self._late_s(order))
        await self._database.call(end, write=True)

    def _late_s(self, order: _Order) -> float:
        return round((self._now() - order.post.slot).total_seconds(), 1)


def _look_up(session: Session, slot: Slot) -> _Order | None:
    guild_id, schedule_id, _moment = slot
    post, schedule = scheduled_posts.get(session, *slot), schedules.get(session, guild_id, schedule_id)
    if post is None or schedule is None or post.state.is_final:
        return None
    settings = guilds.settings_of(session, guild_id)
    wanted = schedule.model_id or settings.default_model_id
    model, corpus = text_models.with_corpus(session, guild_id, wanted)
    return _Order(post, schedule, settings, model, corpus)


def _begin_sending(session: Session, slot: Slot, now: datetime.datetime) -> ScheduledPost | None:
    """Take the slot for sending, unless the schedule was stopped at the last moment."""
    guild_id, schedule_id, _moment = slot
    schedule = schedules.get(session, guild_id, schedule_id)
    post = scheduled_posts.get(session, *slot)
    if schedule is None or post is None:
        return None
    if post.requested_by is None and schedule.state is not ScheduleState.ACTIVE:
        scheduled_posts.end(session, *slot, state=PostState.MISSED, error=_("The schedule was paused."))
        return None
    return scheduled_posts.begin_sending(session, *slot, now=now)


def _sent(session: Session, slot: Slot, message_id: int, model_id: int | None) -> None:
    scheduled_posts.sent(session, *slot, message_id=message_id)
    if model_id is not None:
        text_models.count_generations(session, slot[0], model_id, 1)
