"""Answering a wish with samples, and the buttons below them that ask for more.

All that a button needs is in its id and in the message it stands below, so it outlives a restart.
"""

import re
from dataclasses import dataclass
from typing import Self

import discord

from bot.client import Interaction
from bot.embeds.sample_message import filename, sample_message
from bot.embeds.sample_reading import after_hidden, seed_of, text_of
from bot.errors import UserError
from bot.generation import service
from bot.generation.service import Generated, SampleWish
from bot.guilds.permissions import guild_of
from bot.guilds.settings import MAX_LENGTH, MAX_TEMPERATURE
from bot.i18n import _
from bot.text.hidden_words import HIDDEN
from bot.text.splitting import ending
from bot.training.uploads import attachments
from bot.views.answering import Ack, answer
from bot.views.persistent import Button, PersistentItem
from bot.views.report_buttons import DeleteButton, ReportButton

# Of a text that is gone on from: what a model still knows at its end.
CONTINUED_CHARACTERS = 100
LARGEST_FILE = 2**20

SETTINGS = r"(?P<model>\d{1,18}):(?P<length>\d{1,5}):(?P<temperature>\d{1,5}):(?P<top_p>\d{1,4}|-)"


@dataclass(frozen=True)
class ButtonSettings:
    """What of a sample's settings goes into the id of a button; numbers in thousandths."""

    model_id: int
    length: int
    temperature: float
    top_p: float | None

    def __str__(self) -> str:
        top_p = "-" if self.top_p is None else str(round(self.top_p * 1000))
        return f"{self.model_id}:{self.length}:{round(self.temperature * 1000)}:{top_p}"

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read an id, whose numbers may be of an older version's bounds."""
        top_p = match["top_p"]
        return cls(
            int(match["model"]),
            max(1, min(int(match["length"]), MAX_LENGTH)),
            min(int(match["temperature"]) / 1000, MAX_TEMPERATURE),
            None if top_p == "-" else min(int(top_p) / 1000, 1.0),
        )

    def wish(self, seed: str, message: discord.Message | None, *, count: int = 1) -> SampleWish:
        """The same settings with a seed found in a message; what was private stays so."""
        return SampleWish(
            model=self.model_id,
            seed=seed,
            length=self.length,
            temperature=self.temperature,
            top_p=self.top_p,
            count=count,
            private=message is not None and message.flags.ephemeral,
            found=True,
        )


class SamplingItem(PersistentItem[Button], template=r"(?!)"):
    """One that is answered with a text; what was private stays so."""

    def ack(self, interaction: Interaction) -> Ack:
        """As the message that it stands below was."""
        return sample_ack(interaction)


class AgainButton(SamplingItem, template=rf"again:{SETTINGS}:(?P<count>[1-5]):(?P<seeded>[01])"):
    """Samples again with the same settings and a new random seed."""

    def __init__(self, settings: ButtonSettings, count: int, *, seeded: bool) -> None:
        self.settings = settings
        self.count = count
        self.seeded = seeded
        super().__init__(
            discord.ui.Button(
                label=_("Again"), emoji="🎲", custom_id=f"again:{settings}:{count}:{int(seeded)}"
            )
        )

    @classmethod
    def made_from(cls, match: re.Match[str]) -> Self:
        """Read the id."""
        return cls(ButtonSettings.of(match), int(match["count"]), seeded=match["seeded"] == "1")

    async def pressed(self, interaction: Interaction) -> None:
        """Answer with new samples; permission and guild are checked again."""
        message = interaction.message
        seed = seed_of(message) if self.seeded and message else ""
        if HIDDEN in seed:
            raise UserError(_("The seed holds a word that is hidden here. Try /generate with another one."))
        await answer_wish(interaction, self.settings.wish(seed, message, count=self.count))


class ContinueButton(SamplingItem, template=rf"continue:(?P<number>[0-5]):{SETTINGS}"):
    """Goes on from the end of a sample, in a new message."""

    def __init__(self, number: int, settings: ButtonSettings) -> None:
        self.number = number
        self.settings = settings
        label = _("Continue {number}").format(number=number) if number else _("Continue")
        super().__init__(
            discord.ui.Button(
                label=label, emoji="➡️", custom_id=f"continue:{number}:{settings}", row=1 if number else 0
            )
        )

    @classmethod
    def made_from(cls, match: re.Match[str]) -> Self:
        """Read the id."""
        return cls(int(match["number"]), ButtonSettings.of(match))

    async def pressed(self, interaction: Interaction) -> None:
        """Answer with what comes next; permission and guild are checked again."""
        text = await _whole_text(interaction, self.number)
        await answer_wish(interaction, self.settings.wish(continued_seed(text), interaction.message))


def sample_ack(interaction: Interaction) -> Ack:
    """How the press of a button that asks for a text is acknowledged."""
    message = interaction.message
    return Ack.PRIVATELY if message is not None and message.flags.ephemeral else Ack.PUBLICLY


def continued_seed(text: str, characters: int = CONTINUED_CHARACTERS) -> str:
    """The end of a text as the seed of what comes next.

    Raises:
        UserError: there is nothing to go on from.
    """
    seed = ending(after_hidden(text), characters)
    if not seed.strip():
        raise UserError(_("There is no text here to go on from."))
    return seed


async def _whole_text(interaction: Interaction, number: int) -> str:
    """A sample of a message, from the file that has it whole where the message does not."""
    message = interaction.message
    if message is None:
        return ""
    wanted = filename(number, 2) if number else filename(1, 1)
    for attachment in message.attachments:
        if attachment.filename == wanted:
            return (await attachments.read(attachment, LARGEST_FILE, interaction.client.download)).decode(
                errors="replace"
            )
    return text_of(message, number)


async def answer_wish(interaction: Interaction, wish: SampleWish) -> None:
    """Answer an acknowledged interaction with samples."""
    bot, guild_id = interaction.client, guild_of(interaction)
    with bot.pool.admitted(guild_id):
        granted = await service.prepare(interaction, bot.database, wish)
        bot.cooldowns.take(guild_id, interaction.user.id, granted.settings.cooldown_s)
        generated = await service.generate(
            bot.pool, granted.model, granted.settings, wish, corpus=granted.corpus
        )
        bot.generations.add(guild_id, generated.model_id, len(generated.samples))
    message = sample_message(generated.samples, may_attach=interaction.app_permissions.attach_files)
    view = sample_buttons(generated, asked_by=interaction.user.id, seeded=bool(wish.seed))
    await answer(interaction, embeds=message.embeds, files=message.files, view=view)


def sample_buttons(generated: Generated, *, asked_by: int, seeded: bool) -> discord.ui.View:
    """The buttons below samples.

    Args:
        generated: the samples.
        asked_by: who may delete them.
        seeded: whether somebody chose their seed.
    """
    first, count = generated.sample, len(generated.samples)
    settings = ButtonSettings(generated.model_id, generated.length, first.temperature, first.top_p)
    view = discord.ui.View(timeout=None)
    view.add_item(AgainButton(settings, count, seeded=seeded))
    for number in [0] if count == 1 else range(1, count + 1):
        view.add_item(ContinueButton(number, settings))
    view.add_item(DeleteButton(asked_by))
    view.add_item(ReportButton())
    return view
