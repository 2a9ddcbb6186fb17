"""One attempt to post one slot. Each slot is posted at most once, whatever fails.

The row of the slot says "sending" before Discord is asked, and has the message's id afterwards. A slot found
in the state "sending" was perhaps sent. Discord recognises a nonce for some minutes, so until then it is sent
again with the same nonce. Later it counts as posted, because a missing post is better than a second one.
"""

import datetime
import functools
from collections.abc import Callable

import aiohttp
import discord
import structlog
from sqlalchemy.orm import Session

from bot import i18n
from bot.embeds.sample_message import SampleMessage, sample_message
from bot.embeds.schedule_card import footer
from bot.errors import SampleRefused, SamplerUnavailable
from bot.generation.pool import SamplerPool
from bot.generation.request import GenerationRequest, SamplingOptions
from bot.generation.service import sample
from bot.guilds.public_language import public_language
from bot.i18n import _
from bot.infra.discord.refusals import (
    EMPTY_MESSAGE,
    FIRST_SERVER_ERROR,
    TOO_MANY_REQUESTS,
    UNKNOWN_CHANNEL,
    reopening,
)
from bot.scheduling.due_posts import DuePost, Slot, begin_sending, look_up, record_sent
from bot.scheduling.posting_checks import Creators, Hindrance, PostChannel, channel_to_post
from bot.text import safe_text
from models import Database, PostState, ScheduleState, TextModel, scheduled_posts, schedules

log = structlog.stdlib.get_logger(__name__)

# Discord remembers nonces for "a few minutes".
NONCE_REMEMBERED = datetime.timedelta(minutes=2)
# A host's clock may be set back by so much.
SET_BACK = datetime.timedelta(seconds=30)
REASON_CHARACTERS = 300
# An obstacle that lasts longer than this, or until the post expires, does not pass by itself.
LASTING = datetime.timedelta(minutes=10)
# If the model is replaced while the text is written, the new model writes it again, this often at most.
REPLACED = 3


class Delivery:
    """Posts slots.

    Args:
        client: the bot; it sends to the channels.
        database: holds the schedules and their slots.
        pool: the sampler processes.
        now: returns the present moment (aware).
    """

    def __init__(
        self,
        client: discord.Client,
        database: Database,
        pool: SamplerPool,
        now: Callable[[], datetime.datetime],
        buttons: Callable[[int], discord.ui.View],
    ) -> None:
        self._client = client
        self._database = database
        self._pool = pool
        self._now = now
        self._buttons = buttons
        self._creators = Creators(now)
        self._hindered: dict[Slot, tuple[datetime.datetime, str]] = {}
        # Messages that were sent but could not be recorded yet: message id and model id.
        self._posted: dict[Slot, tuple[int, int | None]] = {}

    async def attempt(self, slot: Slot) -> bool:
        """Post the slot unless it is too late. Return whether it has ended; False means: retry later.

        Raises:
            DatabaseError: the database cannot be used now; retry later.
        """
        if slot in self._posted:
            await self._record(slot)
            return True
        due = await self._database.call(look_up, slot)
        if due is None:
            return True
        end = self._end_without_post(due)
        if end is not None:
            hindered = self._hindered.pop(slot, None)
            if hindered is not None and due.schedule.state is ScheduleState.ACTIVE:
                await self._pause(due, hindered[1])  # to the very end
            else:
                await self._end(due, *end)
            return True
        guild = self._client.get_guild(due.post.guild_id)
        if guild is None or guild.unavailable:
            log.info("the server of a post is not there for now", guild=due.post.guild_id)
            return False
        try:
            channel, message = await self._prepare(guild, due)
        except Hindrance as hindrance:
            return await self._hinder(due, hindrance)
        except (discord.HTTPException, aiohttp.ClientError, OSError, SamplerUnavailable) as error:
            log.warning("not posted for now", schedule=due.schedule.id, error=str(error))
            return False
        self._hindered.pop(slot, None)
        try:
            await self._send(due, channel, message)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            return await self._after(due, error)
        return True

    def _end_without_post(self, due: DuePost) -> tuple[PostState, str] | None:
        now, post = self._now(), due.post
        if post.state is PostState.SENDING:
            if post.sending_at is not None and -SET_BACK <= now - post.sending_at <= NONCE_REMEMBERED:
                return None
            return PostState.UNCONFIRMED, _("The bot ended while it was sending.")
        if now > post.expires_at:
            return PostState.MISSED, _("The bot was away for too long.")
        if post.requested_by is None and due.schedule.state is not ScheduleState.ACTIVE:
            return PostState.MISSED, _("The schedule was paused.")
        return None

    async def _prepare(self, guild: discord.Guild, due: DuePost) -> tuple[PostChannel, SampleMessage]:
        """Check that the schedule can post, and sample the text."""
        await self._creators.require_right(guild, due.schedule.created_by)
        channel = await channel_to_post(guild, due.schedule.channel_id, due.settings)
        may_attach = channel.permissions_for(channel.guild.me).attach_files
        for attempt in range(1, REPLACED + 1):
            if due.model is None:
                raise Hindrance(_("This server has no model yet."))
            try:
                return channel, await self._sampled(due, due.model, may_attach=may_attach)
            except SampleRefused as refusal:
                again = await self._database.call(look_up, due.slot)
                replaced = again and again.model and again.model.bundle_path != due.model.bundle_path
                if again is None or not (refusal.passing and replaced) or attempt == REPLACED:
                    reason = safe_text.safe_within(" ".join(str(refusal).split()), REASON_CHARACTERS)
                    raise Hindrance(reason[:1].upper() + reason[1:], passing=refusal.passing) from None
                due = again
        raise AssertionError("the last attempt returns or raises")

    async def _sampled(self, due: DuePost, model: TextModel, *, may_attach: bool) -> SampleMessage:
        schedule = due.schedule
        # The same random seed in every attempt, so that every attempt writes the same text.
        options = SamplingOptions(schedule.length, schedule.temperature, random_seed=due.post.random_seed)
        request = GenerationRequest(seed=schedule.seed, options=options)
        generated = await sample(self._pool, model, due.settings, request, corpus=due.corpus)
        with i18n.speaking(self._language(due)):
            message = sample_message(generated.samples, may_attach=may_attach)
            last = message.embeds[-1]
            last.set_footer(text=footer(schedule, last.footer.text or ""))
        return message

    def _language(self, due: DuePost) -> str:
        return public_language(due.settings, self._client.get_guild(due.post.guild_id))

    async def _send(self, due: DuePost, channel: PostChannel, message: SampleMessage) -> None:
        if due.post.state is PostState.DUE:
            begun = await self._database.call(begin_sending, due.slot, self._now(), write=True)
            if begun is None:
                return  # stopped or removed while the text was sampled

        async def send() -> discord.Message:
            for file in message.files:
                file.reset()
            with i18n.speaking(self._language(due)):
                buttons = self._buttons(due.schedule.id)
            return await channel.send(
                embeds=message.embeds, files=message.files, view=buttons, nonce=due.nonce
            )

        sent = await reopening(self._client, channel.id, send)
        self._posted[due.slot] = sent.id, due.model.id if due.model else None
        await self._record(due.slot)
        log.info("posted", guild=due.post.guild_id, schedule=due.schedule.id, late_s=self._late_s(due))

    async def _after(self, due: DuePost, error: Exception) -> bool:
        """Handle an error of sending: whether it is final, and whether Discord may have the message."""
        if isinstance(error, discord.HTTPException) and error.status not in (TOO_MANY_REQUESTS, 0):
            if isinstance(error, discord.Forbidden) or error.code == EMPTY_MESSAGE:
                await self._database.call(scheduled_posts.not_sent, *due.slot, write=True)
                lacking = (
                    _("I lack {permissions} in its channel.").format(permissions="Embed Links")
                    if error.code == EMPTY_MESSAGE
                    else _("I can no longer write in its channel.")
                )
                return await self._hinder(due, Hindrance(lacking, passing=True))
            if error.code == UNKNOWN_CHANNEL:
                await self._pause(due, _("Its channel was deleted."))
                return True
            if error.status < FIRST_SERVER_ERROR:
                log.error("Discord refuses a post", schedule=due.schedule.id, exc_info=error)
                await self._end(due, PostState.FAILED, _("Discord refused the message."))
                return True
        never_there = isinstance(error, aiohttp.ClientConnectorError) or (
            isinstance(error, discord.HTTPException) and error.status == TOO_MANY_REQUESTS
        )
        if never_there:
            await self._database.call(scheduled_posts.not_sent, *due.slot, write=True)
        log.warning("not posted for now", schedule=due.schedule.id, error=str(error))
        return False

    async def _record(self, slot: Slot) -> None:
        """Record the id of the message in the row, now or in the next attempt."""
        message_id, model_id = self._posted[slot]
        await self._database.call(record_sent, slot, message_id, model_id, write=True)
        del self._posted[slot]

    async def _hinder(self, due: DuePost, hindrance: Hindrance) -> bool:
        """Retry while the obstacle may pass, otherwise pause the schedule. A run by hand is never retried."""
        now = self._now()
        since, _reason = self._hindered.get(due.slot, (now, ""))
        asked_for = due.post.requested_by is not None
        if hindrance.passing and not asked_for and since <= now < since + LASTING:
            self._hindered[due.slot] = since, str(hindrance)
            log.info("not posted for now", schedule=due.schedule.id, reason=str(hindrance))
            return False
        self._hindered.pop(due.slot, None)
        if hindrance.passing and asked_for:
            await self._end(due, PostState.FAILED, str(hindrance))
        else:
            await self._pause(due, str(hindrance))
        return True

    async def _pause(self, due: DuePost, reason: str) -> None:
        def pause(session: Session) -> None:
            guild_id, schedule_id, slot = due.slot
            schedules.pause(session, guild_id, schedule_id, reason=reason, notice=True)
            scheduled_posts.end(session, guild_id, schedule_id, slot, state=PostState.FAILED, error=reason)

        log.info("schedule paused", guild=due.post.guild_id, schedule=due.schedule.id, reason=reason)
        await self._database.call(pause, write=True)

    async def _end(self, due: DuePost, state: PostState, error: str) -> None:
        log.info("not posted", schedule=due.schedule.id, state=state.value, late_s=self._late_s(due))
        end = functools.partial(scheduled_posts.end, state=state, error=error)
        await self._database.call(end, *due.slot, write=True)

    def _late_s(self, due: DuePost) -> float:
        return round((self._now() - due.post.slot).total_seconds(), 1)
