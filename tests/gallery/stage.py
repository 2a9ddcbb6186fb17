"""The running bot in a simulated Discord, and a record of what people are shown."""

import asyncio
import contextlib
import copy
import datetime
import functools
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord

from bot.demo.playground import simulated_bot
from bot.settings import Settings
from models import TrainingJob, training_jobs
from models.tables import utc_now
from tests.support.bot.world import Place, World
from tests.support.patience import PATIENCE_S

SETTLE_S = 600.0
"""How long the bot may take to answer: a gallery is made beside other work, at any speed."""


@dataclass(frozen=True)
class Shown:
    """A message as people saw it, or a form.

    Attributes:
        kind: name in `tests.gallery.kinds.SCENES`.
        scene: what it belongs to.
        message: Discord's fields: content, embeds, components, attachments, flags; of a form, its own.
        makers: functions of the bot that made its cards.
        place: the server that it was shown in.
        at: when.
    """

    kind: str
    scene: str
    message: dict[str, Any]
    makers: frozenset[str]
    place: Place
    at: datetime.datetime

    @property
    def is_form(self) -> bool:
        return "custom_id" in self.message


@dataclass
class Stage:
    """A server for each scene, with people in it.

    Attributes:
        world: the simulated Discord with the bot.
        people: Ada, who manages the server, and Ben, who does not.
        bundle: a trained model.
        folder: for files of the scenes.
        patch: ends with the stage.
        place: the server of this scene.
    """

    world: World
    people: tuple[simcord.UserHandle, simcord.UserHandle]
    bundle: Path
    folder: Path
    patch: pytest.MonkeyPatch
    place: Place = field(init=False)
    shown: list[Shown] = field(default_factory=list)
    scene: str = ""
    made: list[tuple[discord.Embed, str]] = field(default_factory=list)

    def begin(self, scene: str) -> None:
        """Go to another server, for a scene that needs to know of nothing before."""
        env = self.world.env
        guild = env.create_guild("The Globe")
        channel = guild.create_text_channel("writing-room")
        managers = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
        admin = guild.add_member(self.people[0], roles=[managers])
        self.scene, self.place = scene, Place(guild, channel, admin, guild.add_member(self.people[1]))

    def keep(self, kind: str, what: Any) -> None:
        """Record what people see now: the answer to an interaction, or a message."""
        for message in self._messages(what):
            cards = [_beginning(card) for card in message.get("embeds", [])]
            makers = frozenset(maker for card, maker in self.made if _beginning(card.to_dict()) in cards)
            self.shown.append(Shown(kind, self.scene, copy.deepcopy(message), makers, self.place, utc_now()))

    def _messages(self, what: Any) -> Iterator[dict[str, Any]]:
        if isinstance(what, simcord.InteractionResult):
            if what.modal is not None:
                yield what.modal
                return
            found = [each for each in (what.response, *what.followups) if each is not None]
            assert found, "nothing was answered"
        else:
            found = [what]
        for each in found:
            channel_id = each.channel_id if isinstance(each, simcord.ResponseMessage) else each.channel.id
            message = self.world.env.backend.get_message(channel_id, each.id)
            names = ("content", "embeds", "components", "attachments", "flags")
            yield {name: getattr(message, name) for name in names}

    async def slash(self, command: str, actor: simcord.MemberActor | None = None, /, **options: Any) -> Any:
        return await (actor or self.place.admin).slash(self.place.channel, command, **options)

    def job(self) -> TrainingJob:
        """The newest training."""
        with self.world.bot.database.read() as session:
            return training_jobs.listing(session, self.place.guild.id)[-1]

    async def until(self, what: Callable[[], object]) -> None:
        """Let time go on until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not what():
            assert time.monotonic() < deadline
            await self.world.env.advance_time(2)
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def stage(folder: Path, bundle: Path, locale: str) -> AsyncIterator[Stage]:
    """Run the bot for people whose clients are in one language.

    Args:
        folder: for the bot's data; created.
        bundle: a trained model.
        locale: Discord's name of the language.
    """
    from tests.gallery.kinds import maker_at

    settings = Settings(_env_file=None, data_dir=folder / "data", jobs_poll_s=0.2, training_threads=1)
    settings.prepare_data_dir()
    env = simcord.Env(simulated_bot(settings), settle_timeout=SETTLE_S)
    env.backend.clock.advance((utc_now() - env.backend.clock.now()).total_seconds())
    await env.start()
    with pytest.MonkeyPatch.context() as patch:
        world = World(env, settings)
        await world.bot.user.edit(username="Pastiche")
        world.speaks(patch, locale)
        people = (env.create_user("ada", global_name="Ada"), env.create_user("ben", global_name="Ben"))
        made = Stage(world, people, bundle, folder, patch)
        made.made = _watched(patch, maker_at)
        try:
            yield made
        finally:
            await world.bot.close()
            await env.shutdown()


def _beginning(card: Mapping[str, Any]) -> tuple[str, str]:
    # Discord takes away white space at the ends.
    return card.get("title", "").strip(), card.get("description", "").strip()


def _watched(
    patch: pytest.MonkeyPatch, maker_at: Callable[[str, int], str | None]
) -> list[tuple[discord.Embed, str]]:
    """Note from now on which functions of the bot begin which cards."""
    made: list[tuple[discord.Embed, str]] = []
    original = discord.Embed.__init__

    @functools.wraps(original)
    def init(embed: discord.Embed, *args: Any, **kwargs: Any) -> None:
        caller = sys._getframe(1)
        maker = maker_at(caller.f_code.co_filename, caller.f_lineno)
        if maker is not None:
            made.append((embed, maker))
        original(embed, *args, **kwargs)

    patch.setattr(discord.Embed, "__init__", init)
    return made
