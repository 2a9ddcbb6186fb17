"""Discord waits 3 s for a first answer, so it never waits for the database, whatever is used.

Instead of a clock there is a gate: the database lets nobody in until Discord has its first answer.
"""

import asyncio
import contextlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.guilds import member_names
from bot.views import answering
from tests.support.bot.surface import commands_of, filled, spelled, templates
from tests.support.bot.world import Place, World, answer, private_line
from tests.support.textgen.bundles import write_random_bundle

FIRST_ANSWERS = ("defer", "send_message", "send_modal", "edit_message", "autocomplete")
# What must be the first answer itself may read before it, for as long as `LOOK_UP_S`.
FORMS = ("Import", "Rename")
OPENED_S = 10.0


class Gate:
    """Keeps everybody out of the database until Discord is answered.

    Attributes:
        waited_for: what was to be answered when somebody waited in vain, which is a bug.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, world: World) -> None:
        self.waited_for: list[str] = []
        self._what = ""
        self._answered = threading.Event()
        self._answered.set()
        self._reads = True
        for name in FIRST_ANSWERS:
            self._watch(monkeypatch, name)
        for name in ("read", "write"):
            self._guard(monkeypatch, world.bot.database, name)

    @contextlib.contextmanager
    def until_answered(self, what: str, *, reads: bool = True) -> Iterator[None]:
        """Shut it until the first answer to what is used in this context."""
        self._what, self._reads = what, reads
        self._answered.clear()
        try:
            yield
            if not self._answered.is_set():
                self.waited_for.append(f"{what}: not answered at all")
        finally:
            self._answered.set()

    def _watch(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        original = getattr(discord.InteractionResponse, name)

        async def answering(response: discord.InteractionResponse[Any], *args: Any, **options: Any) -> Any:
            self._answered.set()
            return await original(response, *args, **options)

        monkeypatch.setattr(discord.InteractionResponse, name, answering)

    def _guard(self, monkeypatch: pytest.MonkeyPatch, database: Any, name: str) -> None:
        original = getattr(database, name)

        @contextlib.contextmanager
        def guarded() -> Iterator[Any]:
            if (name == "write" or self._reads) and not self._answered.wait(OPENED_S):
                self.waited_for.append(f"{self._what}: waits for the database ({name})")
            with original() as session:
                yield session

        monkeypatch.setattr(database, name, guarded)


@pytest.fixture
def place(world: World, tmp_path: Path) -> Place:
    bundle = tmp_path / "random"
    write_random_bundle(bundle, "linear")
    made = world.place()
    world.give_model(made, bundle)
    return made


@pytest.fixture
def gate(world: World, place: Place, monkeypatch: pytest.MonkeyPatch) -> Gate:
    monkeypatch.setattr(answering, "LOOK_UP_S", 60.0)  # so that a first answer that waits is found out
    world.hold_back()
    return Gate(monkeypatch, world)


@pytest.mark.slow
async def test_every_command(world: World, place: Place, gate: Gate):
    used = 0
    for command in list(commands_of(world)):
        name = command.qualified_name
        for actor in (place.admin, place.member):
            if {name, name.split()[0]} & set(actor.available_commands(place.channel)):
                with gate.until_answered(f"/{name}"):
                    await actor.slash(place.channel, name, **filled(world, place, command))
                used += 1
    with gate.until_answered("/models model:Bard"):
        await place.member.slash(place.channel, "models", model="Bard")
    assert used > 20
    assert gate.waited_for == []


@pytest.mark.slow
async def test_every_button(world: World, place: Place, gate: Gate):
    for template in templates(world):
        custom_id = spelled(template, dict.fromkeys(template.groupindex, "1")) or spelled(template, {})
        assert custom_id is not None
        with gate.until_answered(custom_id, reads=custom_id != "import"):
            await world.press_forged(place, place.admin, custom_id)
    assert gate.waited_for == []


@pytest.mark.slow
async def test_every_button_of_a_model_and_its_forms(world: World, place: Place, gate: Gate):
    for label in ("Sample", "Make default", "Export", "Rename", "Delete"):
        panel = answer(await place.admin.slash(place.channel, "models", model="Bard")).message
        with gate.until_answered(label, reads=label not in FORMS):
            pressed = await place.admin.click(panel, label=label)
        if label == "Rename":
            with gate.until_answered("Rename, sent"):
                await place.admin.submit_modal(pressed, {"name": "Bard"})
    assert gate.waited_for == []


async def test_the_menu_below_a_message(world: World, place: Place, gate: Gate):
    message = await place.member.send(place.channel, "To be, or not to be")
    with gate.until_answered("Continue this"):
        await place.member.context_menu(place.channel, "Continue this", message)
    assert gate.waited_for == []


async def test_choices_while_typing_come_from_reading_alone(world: World, place: Place, gate: Gate):
    tried = 0
    for command in commands_of(world):
        for option in command.parameters:
            if option.autocomplete:
                with gate.until_answered(f"/{command.qualified_name} {option.display_name}", reads=False):
                    await place.admin.autocomplete(
                        place.channel, command.qualified_name, option.display_name, "b"
                    )
                tried += 1
    assert tried > 3
    assert gate.waited_for == []


def test_one_module_alone_answers_interactions():
    other = re.compile(r"interaction\.response|(edit|delete)_original_response|followup\.send")
    sources = [path for path in Path("bot").rglob("*.py") if path.name != "answering.py"]
    assert [str(path) for path in sources if other.search(path.read_text(encoding="utf-8"))] == []


async def test_a_look_up_that_takes_too_long_is_answered_without(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answering, "LOOK_UP_S", 0.05)
    assert await answering.within_time(asyncio.sleep(30, "late"), "default") == "default"
    assert await answering.within_time(asyncio.sleep(0, "found"), "default") == "found"


async def test_a_public_refusal_leaves_nothing_in_the_channel(world: World, place: Place):
    before = len(place.channel.history())
    refused = await place.member.slash(place.channel, "generate", model="Nobody")
    assert "no model named" in private_line(refused)
    assert len(place.channel.history()) == before


class TestNames:
    async def test_names_that_take_long_are_shown_as_mentions_and_known_the_next_time(
        self, world: World, place: Place, monkeypatch: pytest.MonkeyPatch
    ):
        makers = [world.env.create_user(f"maker{number}") for number in range(8)]
        for maker in makers:
            place.guild.add_member(maker)
        slow = asyncio.Event()
        fetch = world.bot.http.get_member

        async def get_member(guild_id: int, member_id: int) -> Any:
            await slow.wait()
            return await fetch(guild_id, member_id)

        monkeypatch.setattr(world.bot.http, "get_member", get_member)
        monkeypatch.setattr(member_names, "DEADLINE_S", 0.05)
        ids = [maker.id for maker in makers]
        told = await world.bot.names.of_all(place.guild.id, ids)
        assert told == {user_id: f"<@{user_id}>" for user_id in ids}
        slow.set()
        await world.env.settle()
        told = await world.bot.names.of_all(place.guild.id, ids)
        assert sorted(told.values()) == [f"maker{number}" for number in range(8)]

    async def test_a_member_forgotten_during_the_look_up_is_not_remembered(
        self, world: World, place: Place, monkeypatch: pytest.MonkeyPatch
    ):
        slow = asyncio.Event()

        async def get_member(guild_id: int, member_id: int) -> Any:
            await slow.wait()
            raise AssertionError

        monkeypatch.setattr(world.bot.http, "get_member", get_member)
        monkeypatch.setattr(member_names, "DEADLINE_S", 0.05)
        await world.bot.names.of_all(place.guild.id, [place.member.id])
        world.bot.names.forget(place.guild.id, place.member.id)
        assert world.bot.names._asked == {}

    async def test_a_mention_that_stands_in_is_shown_as_one(self, world: World, place: Place):
        from bot.text import safe_text

        assert safe_text.person("<@12>") == "<@12>"
        assert safe_text.person(safe_text.plain("<@12>")) != "<@12>"
        assert safe_text.person("*Ada*") == r"\*Ada\*"
