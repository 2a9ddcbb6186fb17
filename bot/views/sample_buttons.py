"""The answer to `/generate`: samples, with buttons below them that ask for more.

Everything a button needs is in its id and in its message, so it outlives a restart.
"""

import dataclasses
import re
from typing import Self

import discord

from bot.client import Interaction
from bot.embeds.sample_message import after_hidden, filename, sample_message, seed_of, text_of
from bot.errors import UserError
from bot.generation.request import Blend, Generated, GenerationRequest, SamplingOptions
from bot.generation.service import generate
from bot.i18n import _
from bot.text.hidden_words import HIDDEN
from bot.text.splitting import ending
from bot.training.uploads import attachments
from bot.views.answering import Ack, answer
from bot.views.persistent import PersistentButton, view_of
from bot.views.report_buttons import DeleteButton, ReportButton

# Of a text that is gone on from: what a model still knows at its end.
CONTINUED_CHARACTERS = 100

MODEL = rf"(?P<model>\d{{1,18}})(?:{Blend.ID})?"


class SamplingButton(PersistentButton, template=r"(?!)"):
    """A button that is answered with a sample; what follows a private message stays private."""

    def ack(self, interaction: Interaction) -> Ack:
        """Privately below a private message, else publicly."""
        return sample_ack(interaction)


class AgainButton(
    SamplingButton, template=rf"again:{MODEL}:{SamplingOptions.ID}:(?P<count>[1-5]):(?P<seeded>[01])"
):
    """Samples again with the same options and a new random seed."""

    def __init__(
        self, model_id: int, options: SamplingOptions, blend: Blend | None = None, *, seeded: bool
    ) -> None:
        self.request = GenerationRequest(model_id, options=options, found=True, blend=blend)
        self.seeded = seeded
        custom_id = f"again:{_id(model_id, blend)}:{options.to_id()}:{options.count}:{int(seeded)}"
        super().__init__(_("Again"), custom_id, emoji="🎲")

    @classmethod
    def made_from(cls, match: re.Match[str]) -> Self:
        """Read the id."""
        options = SamplingOptions.from_id(match, count=int(match["count"]))
        return cls(int(match["model"]), options, Blend.from_id(match), seeded=match["seeded"] == "1")

    async def pressed(self, interaction: Interaction) -> None:
        """Answer with new samples; permission and server are checked again."""
        message = interaction.message
        seed = seed_of(message) if self.seeded and message else ""
        if HIDDEN in seed:
            raise UserError(
                _("The seed contains a word that this server hides. Try /generate with another seed.")
            )
        await answer_with_samples(interaction, dataclasses.replace(self.request, seed=seed))


class ContinueButton(SamplingButton, template=rf"continue:(?P<number>[0-5]):{MODEL}:{SamplingOptions.ID}"):
    """Continues from the end of a sample, in a new message.

    Args:
        number: which of several samples, from 1; 0: the only one.
        model_id: id of the model that wrote it.
        options: how it was sampled.
        blend: the model that it was blended with.
    """

    def __init__(
        self, number: int, model_id: int, options: SamplingOptions, blend: Blend | None = None
    ) -> None:
        self.number = number
        alone = dataclasses.replace(options, count=1)
        self.request = GenerationRequest(model_id, options=alone, found=True, blend=blend)
        label = _("Continue {number}").format(number=number) if number else _("Continue")
        custom_id = f"continue:{number}:{_id(model_id, blend)}:{options.to_id()}"
        super().__init__(label, custom_id, emoji="➡️", row=1 if number else 0)

    @classmethod
    def made_from(cls, match: re.Match[str]) -> Self:
        """Read the id."""
        options, blend = SamplingOptions.from_id(match), Blend.from_id(match)
        return cls(int(match["number"]), int(match["model"]), options, blend)

    async def pressed(self, interaction: Interaction) -> None:
        """Answer with what comes next; permission and server are checked again."""
        seed = continued_seed(await _whole_text(interaction, self.number))
        await answer_with_samples(interaction, dataclasses.replace(self.request, seed=seed))


def _id(model_id: int, blend: Blend | None) -> str:
    return f"{model_id}{blend.to_id() if blend else ''}"


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
        raise UserError(_("There is no text here to continue."))
    return seed


async def _whole_text(interaction: Interaction, number: int) -> str:
    """A sample of a message, from the file that has it whole where the message does not."""
    message = interaction.message
    if message is None:
        return ""
    wanted = filename(number, 2) if number else filename(1, 1)
    attached = await attachments.attached_text(message, wanted, interaction.client.download)
    return text_of(message, number) if attached is None else attached


async def answer_with_samples(interaction: Interaction, request: GenerationRequest) -> None:
    """Answer an acknowledged interaction with the samples it asks for, and their buttons."""
    generated = await generate(interaction, request)
    message = sample_message(generated.samples, may_attach=interaction.app_permissions.attach_files)
    view = sample_buttons(generated, asked_by=interaction.user.id, seeded=bool(request.seed))
    await answer(interaction, embeds=message.embeds, files=message.files, view=view)


def sample_buttons(generated: Generated, *, asked_by: int, seeded: bool) -> discord.ui.View:
    """The buttons below samples.

    Args:
        generated: the samples.
        asked_by: Discord id of the person who may delete them.
        seeded: the seed was chosen; else the model started from a line of its corpus.
    """
    model_id, options, count = generated.model_id, generated.options, len(generated.samples)
    numbers = [0] if count == 1 else range(1, count + 1)
    return view_of(
        AgainButton(model_id, options, generated.blend, seeded=seeded),
        *(ContinueButton(number, model_id, options, generated.blend) for number in numbers),
        DeleteButton(asked_by),
        ReportButton(),
    )
