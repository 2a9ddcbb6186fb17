"""The message that holds a training's card: sent, edited, or replaced by a new one."""

import hashlib
from collections.abc import Callable

import discord
import structlog

from bot.bundles.curve_words import files_of_job
from bot.infra.discord.refusals import (
    ARCHIVED,
    EMPTY_MESSAGE,
    MISSING_PERMISSIONS,
    TOO_LARGE,
    UNKNOWN_CHANNEL,
)
from bot.text.plain_embed import plain_text
from models import TrainingJob

log = structlog.stdlib.get_logger(__name__)


class CardMessages:
    """Writes cards to their channels.

    Args:
        client: reaches the channels.
        buttons: makes the buttons below a job's card; None for no buttons.
    """

    def __init__(
        self, client: discord.Client, buttons: Callable[[TrainingJob], discord.ui.View | None]
    ) -> None:
        self._client = client
        self._buttons = buttons
        self._without_picture: set[str] = set()

    def takes_picture(self, job: TrainingJob) -> bool:
        """Whether Discord has not refused the picture of this card before."""
        return job.id not in self._without_picture

    def forget(self, job: TrainingJob) -> None:
        """Forget what is known of a card that is final."""
        self._without_picture.discard(job.id)

    async def put(
        self, job: TrainingJob, embed: discord.Embed, picture: bytes | None, *, picture_unchanged: bool
    ) -> int:
        """Edit the card's message, or send one if there is none; return the message's id.

        Args:
            job: the training.
            embed: the card.
            picture: PNG of the losses; None for a card without one. If Discord refuses only the picture, the
                card is shown without it from then on.
            picture_unchanged: the message has this picture already, so that it is not uploaded again.

        Raises:
            HTTPException: Discord refuses the card.
        """
        try:
            return await self._edit_or_send(job, embed, picture, picture_unchanged=picture_unchanged)
        except discord.HTTPException as error:
            refused = error.status == TOO_LARGE or error.code in (MISSING_PERMISSIONS, EMPTY_MESSAGE)
            if picture is None or not refused:
                raise
            log.info("card is shown without its picture", job=job.id, status=error.status)
            self._without_picture.add(job.id)
            embed.set_image(url=None)
            return await self._edit_or_send(job, embed, None, picture_unchanged=False)

    async def _edit_or_send(
        self, job: TrainingJob, embed: discord.Embed, picture: bytes | None, *, picture_unchanged: bool
    ) -> int:
        channel = self._client.get_partial_messageable(job.channel_id, guild_id=job.guild_id)
        view = self._buttons(job)
        if job.message_id is not None:
            files = discord.utils.MISSING if picture_unchanged else files_of_job(job, picture)
            try:
                await channel.get_partial_message(job.message_id).edit(
                    embed=embed, view=view, attachments=files
                )
            except discord.HTTPException as error:
                if not _is_replaced(error):
                    raise
                log.info("card is gone, a new one takes its place", job=job.id)
            else:
                return job.message_id
        # The nonce prevents a second card if the confirmation of the first was lost.
        nonce = hashlib.sha256(f"{job.id}:{job.message_id}".encode()).hexdigest()[:25]
        buttons = view or discord.utils.MISSING
        try:
            message = await channel.send(
                embed=embed, view=buttons, files=files_of_job(job, picture), nonce=nonce
            )
        except discord.HTTPException as error:
            if error.code != EMPTY_MESSAGE:
                raise
            # Without Embed Links Discord drops the embed, and the message is empty.
            message = await channel.send(plain_text(embed), view=buttons, nonce=nonce)
        return message.id


def _is_replaced(error: discord.HTTPException) -> bool:
    """Whether a new message may replace the card.

    The old one was deleted or belongs to another bot, or its thread is archived: a new message reopens that.
    """
    if error.code == ARCHIVED:
        return True
    refused = isinstance(error, discord.NotFound | discord.Forbidden)
    return refused and error.code not in (UNKNOWN_CHANNEL, MISSING_PERMISSIONS)
