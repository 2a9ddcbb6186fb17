"""A simulated Discord around the real bot: guilds, people, and time that goes on while a training runs."""

import asyncio
import itertools
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord

from bot.bundles.publishing import publish_bundle
from bot.client import Pastiche
from bot.demo.playground import simulated_bot
from bot.settings import Settings
from models import text_models
from tests.support.patience import PATIENCE_S
from tests.support.rows import new_corpus


@dataclass
class Place:
    """A guild with a channel, someone who manages it, and someone who does not."""

    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    admin: simcord.MemberActor
    member: simcord.MemberActor


class World:
    """The simulated Discord with the bot in it."""

    def __init__(self, env: simcord.Env, settings: Settings) -> None:
        self.env = env
        self.settings = settings
        self.without_cooldowns()

    def without_cooldowns(self) -> None:
        """Let an hour pass between any two requests of a person."""
        self.bot.cooldowns.clock = itertools.count(step=3600).__next__

    def hold_back(self) -> None:
        """Let trainings wait from now on: nobody adds a turn for them."""
        self.bot.queue.enqueue = lambda job: None
        self.bot.queue.reconcile = lambda is_dead: None

    @property
    def bot(self) -> Pastiche:
        assert isinstance(self.env.bot, Pastiche)
        return self.env.bot

    def place(
        self, name: str = "Stratford", *, shard_id: int | None = None, language: str | None = None
    ) -> Place:
        guild = self.env.create_guild(name, shard_id=shard_id, preferred_locale=language)
        channel = guild.create_text_channel("quill")
        managers = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
        admin = guild.add_member(self.env.create_user(f"ada-{guild.id}"), roles=[managers])
        return Place(guild, channel, admin, guild.add_member(self.env.create_user(f"ben-{guild.id}")))

    def give_model(self, place: Place, bundle: Path, name: str = "Bard") -> int:
        """Publish a copy of a bundle as the guild's model."""
        folder = self.bot.layout.bundle(place.guild.id, f"given-{name}")
        shutil.copytree(bundle, folder)
        with self.bot.database.write() as session:
            model, _ = publish_bundle(session, place.guild.id, folder, name=name, created_by=place.admin.id)
            return model.id

    def learn_from(self, place: Place, text: str, folder: Path, name: str = "Bard") -> int:
        """Let the guild's model have learned from a text, and return the corpus' id."""
        path = folder / "learned.txt"
        path.write_text(text, encoding="utf-8")
        with self.bot.database.write() as session:
            values = {"filename": "learned.txt", "path": str(path), "uploaded_by": place.admin.id}
            row = new_corpus(session, place.guild.id, text, **values)
            text_models.by_name(session, place.guild.id, name).corpus_id = row.id
            return row.id

    async def press_forged(
        self, place: Place, actor: simcord.MemberActor, custom_id: str
    ) -> simcord.InteractionResult:
        """Press a button that the bot never showed, as a modified client can."""
        button = {"type": 2, "style": 2, "label": "Forged", "custom_id": custom_id}
        message = self.env.backend.create_message(
            place.channel.id, self.bot.user.id, "", components=[{"type": 1, "components": [button]}]
        )
        return await actor.click(
            place.channel.history()[-1], custom_id=message.components[0]["components"][0]["custom_id"]
        )

    def speaks(self, monkeypatch: pytest.MonkeyPatch, locale: str) -> None:
        """Let everybody's client be in a language from now on; SimCord knows American English alone."""
        original = simcord.interactions.base_payload

        def payload(*args: Any, **kwargs: Any) -> Any:
            record, made = original(*args, **kwargs)
            return record, made | {"locale": locale}

        monkeypatch.setattr(simcord.interactions, "base_payload", payload)

    async def until(self, place: Place, *words: str) -> discord.Message:
        """Let time go on until the newest message of the channel shows one of the words."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            await self.env.advance_time(2)
            message = place.channel.last_message
            if message is not None and any(word in shown(message) for word in words):
                return message
            seen = shown(message) if message else "nothing"
            assert time.monotonic() < deadline, f"none of {words} after {PATIENCE_S} s, but: {seen}"
            await asyncio.sleep(0.25)

    async def restart(self) -> None:
        """End the bot in order and start a new one on the same data."""
        await self.bot.close()
        await self.env.restart_bot(simulated_bot(self.settings))
        self.without_cooldowns()

    async def move(self, data_dir: Path) -> None:
        """End the bot, put its data directory somewhere else, and start a new one there."""
        await self.bot.close()
        shutil.move(self.settings.data_dir, data_dir)
        urls = {"database_url": "", "jobs_database_url": ""}
        kept = self.settings.model_dump(exclude={"data_dir", *urls})
        self.settings = Settings(_env_file=None, data_dir=data_dir, **urls, **kept)
        await self.env.restart_bot(simulated_bot(self.settings))
        self.without_cooldowns()


def shown(message: Any) -> str:
    """All that a person reads of a message."""
    parts = [message.content or ""]
    for embed in message.embeds:
        parts += [embed.title or "", embed.description or ""]
        parts += [f"{field.name}\n{field.value}" for field in embed.fields]
        parts.append(embed.footer.text or "")
    return "\n".join(part for part in parts if part)


def answer(result: simcord.InteractionResult) -> simcord.ResponseMessage:
    """The one message that answered an interaction; below a message that stays, the line that followed."""
    if result.deferred and len(result.followups) == 1:
        return result.followups[0]
    messages = [message for message in (result.response, *result.followups) if message is not None]
    assert len(messages) == 1, messages
    return messages[0]


def private_line(result: simcord.InteractionResult) -> str:
    """The answer, which is one line that only the person sees."""
    message = answer(result)
    assert message.ephemeral
    assert not message.embeds
    assert "\n" not in message.content
    return message.content
