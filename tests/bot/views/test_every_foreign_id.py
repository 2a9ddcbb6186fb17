"""Every command, option, autocomplete and button, tried with what belongs to another server.

Nothing here knows the commands: it walks the tree, the templates of the buttons and the tables, so that what
is added later is tried too. The answer to a foreign id must be, word for word, that to an absent one.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from discord import AppCommandOptionType as OptionType

from models import audit, guilds, personal_data
from models.tables import guild_tables, utc_now
from tests.support.bot.surface import commands_of, filled, spelled, templates
from tests.support.bot.world import Place, World, shown
from tests.support.rows import new_job

SECRET = "Swanupping"  # part of every name in Stratford, and a word of nobody else
# Options that name something of the server although nothing is offered while they are typed.
NAMES = frozenset({"model", "default_model", "base", "job", "schedule"})
# Parts of a button's id that name nothing: pages, directions, settings, and who may press it.
NO_IDS = frozenset({"page", "to", "length", "temperature", "seeded", "scope", "models", "user"}) | frozenset(
    {"top_p", "typical_p", "count", "number", "action", "asked_by", "mix"}
)
ABSENT = ("Nowhere", "987654321", "f" * 32)


def row_of(table: sa.Table, place: Place, known: dict[str, Any]) -> dict[str, Any]:
    """A row made from the table's own types, for tables that this test has never heard of."""
    row: dict[str, Any] = {}
    for column in table.c:
        if column.key in known:
            row[column.key] = known[column.key]
        elif column.key.endswith("_by") or column.key in ("actor_id", "user_id"):
            row[column.key] = place.admin.id
        elif column.nullable or column.default is not None or (column.primary_key and column.key == "id"):
            continue
        else:
            row[column.key] = {int: 1, float: 1.0, bool: False, str: SECRET}.get(
                column.type.python_type, utc_now()
            )
    return row


@pytest.fixture
def stratford(world: World, trained_bundle: Path) -> Place:
    """A server that has a row in every table."""
    place = world.place(SECRET)
    model_id = world.give_model(place, trained_bundle, f"{SECRET} Bard")
    with world.bot.database.write() as session:
        known: dict[str, Any] = {
            "guild_id": place.guild.id,
            "channel_id": place.channel.id,
            "model_id": model_id,
            "timezone": "UTC",
        }
        guilds.edit(session, place.guild.id, default_model_id=model_id)
        audit.record(session, place.guild.id, place.admin.id, "model.renamed", SECRET, before=SECRET)
        for table in guild_tables():
            if table.name == "training_job":
                job = new_job(
                    session,
                    place.guild.id,
                    known["corpus_id"],
                    channel_id=place.channel.id,
                    requested_by=place.admin.id,
                    model_name=f"{SECRET} next",
                )
                known["job_id"] = job.id
            elif not personal_data.counts(session, place.guild.id)[table.name]:
                row_id = session.execute(sa.insert(table).values(row_of(table, place, known)))
                known[f"{table.name}_id"] = row_id.inserted_primary_key[0]
    return place


def rows_of(world: World, place: Place) -> dict[str, list[dict[str, Any]]]:
    with world.bot.database.read() as session:
        return personal_data.rows(session, place.guild.id)


def foreign_values(world: World, place: Place) -> set[str]:
    """Ids and names of everything in a server."""
    found = set()
    for of_table in rows_of(world, place).values():
        for row in of_table:
            found |= {str(row[key]) for key in ("id", "name", "model_name", "subject") if row.get(key)}
    return found


def heard(result: Any) -> str:
    """Everything that came of an interaction, as a person reads it."""
    messages = [each for each in (result.response, *result.followups) if each is not None]
    buttons = re.findall(r"'label': '([^']*)'", str([each.components for each in messages]))
    return "\n".join([*map(shown, messages), *buttons, str(result.modal or "")])


def same(foreign: str, value: str, absent: str, other: str) -> bool:
    return foreign.replace(value, "?") == absent.replace(other, "?")


async def test_every_option_that_names_something(world: World, stratford: Place, abbey: Place):
    world.hold_back()
    before = rows_of(world, stratford)
    tried = 0
    for command in list(commands_of(world)):
        for option in command.parameters:
            names_something = option.display_name in NAMES or option.autocomplete
            if not names_something or option.type is not OptionType.string:
                continue
            others = filled(world, abbey, command, option.display_name)

            async def answer_to(value: str) -> str:
                given = others | {option.display_name: value}  # noqa: B023 - called in this round only
                return heard(await abbey.admin.slash(abbey.channel, command.qualified_name, **given))  # noqa: B023

            nothing = await answer_to(ABSENT[0])
            for value in sorted(foreign_values(world, stratford)):
                foreign = await answer_to(value)
                assert same(foreign, value, nothing, ABSENT[0]), (
                    command.qualified_name,
                    option.display_name,
                    value,
                )
                tried += 1
    assert tried
    assert rows_of(world, stratford) == before


async def test_every_autocomplete(world: World, stratford: Place, abbey: Place):
    theirs = foreign_values(world, stratford)
    names = {value for value in theirs if SECRET in value} | {value for value in theirs if len(value) == 32}
    tried = 0
    for command in commands_of(world):
        for option in command.parameters:
            if not option.autocomplete:
                continue
            for typed in ("", SECRET, SECRET[:3].lower(), *theirs):
                for actor in (abbey.admin, abbey.member):
                    if command.qualified_name.split()[0] not in actor.available_commands(abbey.channel):
                        continue
                    offered = await actor.autocomplete(
                        abbey.channel, command.qualified_name, option.display_name, typed
                    )
                    said = str(offered)
                    assert not any(name in said for name in names), (
                        command.qualified_name,
                        option.display_name,
                    )
                    tried += 1
    assert tried


def test_ids_are_spelled_from_templates():
    template = re.compile(r"again:(?P<model>\d{1,19}):(?P<job>[0-9a-f]{32}):(?P<to>[<>])")
    assert spelled(template, {"model": "77"}) == f"again:77:{'0' * 32}:<"
    assert spelled(template, {"model": "x"}) is None


async def test_every_button(world: World, stratford: Place, abbey: Place):
    before = rows_of(world, stratford)
    tried = 0
    assert templates(world)
    for template in templates(world):
        for group in template.groupindex:
            if group in NO_IDS:
                continue
            absent = next((value for value in ABSENT if spelled(template, {group: value})), None)
            for value in sorted(foreign_values(world, stratford)):
                custom_id = spelled(template, {group: value})
                if custom_id is None:
                    continue
                assert absent is not None, (template.pattern, "name an absent id that fits")
                foreign = heard(await world.press_forged(abbey, abbey.admin, custom_id))
                nothing = heard(
                    await world.press_forged(abbey, abbey.admin, spelled(template, {group: absent}))
                )
                assert same(foreign, value, nothing, absent), (custom_id, foreign, nothing)
                assert SECRET not in foreign
                tried += 1
    assert tried
    assert rows_of(world, stratford) == before


async def test_every_button_says_nothing_of_another_server_whatever_else_is_in_its_id(
    world: World, stratford: Place, abbey: Place
):
    before = rows_of(world, stratford)
    for template in templates(world):
        custom_id = spelled(template, dict.fromkeys(template.groupindex, "1")) or spelled(template, {})
        assert custom_id is not None, template.pattern
        assert SECRET not in heard(await world.press_forged(abbey, abbey.admin, custom_id))
        assert len(custom_id) <= 100
    assert rows_of(world, stratford) == before


async def test_what_is_written_without_any_option_is_the_servers_own(
    world: World, stratford: Place, abbey: Place
):
    for command in list(commands_of(world)):
        if not any(option.required for option in command.parameters):
            said = heard(await abbey.admin.slash(abbey.channel, command.qualified_name))
            assert SECRET not in said, command.qualified_name
