"""Every command module states what it stores; every table is covered, and PRIVACY.md repeats it."""

from pathlib import Path

import pytest

from bot.privacy import inventory
from bot.privacy.inventory import Stored
from models import personal_data
from models.tables import Base

PRIVACY = (Path(__file__).parents[3] / "PRIVACY.md").read_text(encoding="utf-8")
# 64-bit numbers that name no person.
OTHER_IDS = frozenset({"guild_id", "channel_id", "message_id", "report_channel_id", "trainer_role_id"})


@pytest.mark.parametrize("module", inventory.command_modules())
def test_every_command_module_states_what_it_stores(module: str):
    try:
        (stated,) = inventory.statements([module]).values()
    except AttributeError:
        pytest.fail(
            f"{module} has no STORES: say what it stores, in which table and until when; () for nothing"
        )
    assert all(isinstance(each, Stored) for each in stated)


def test_every_table_of_guilds_is_named_by_a_module():
    stated = {each.table for each in inventory.all_statements()}
    assert {table.name for table in personal_data.guild_tables()} - stated == set()
    assert stated - set(Base.metadata.tables) == set()


@pytest.mark.parametrize("stored", inventory.all_statements(), ids=lambda stored: stored.what[:30])
def test_privacy_md_repeats_every_statement(stored: Stored):
    row = f"| {stored.what} | `{stored.table}` | {stored.until} |"
    assert row in PRIVACY, f"PRIVACY.md lacks this row of its table:\n{row}"


def test_privacy_md_states_nothing_else():
    rows = {line for line in PRIVACY.splitlines() if line.startswith("| ") and "`" in line}
    stated = {f"| {each.what} | `{each.table}` | {each.until} |" for each in inventory.all_statements()}
    assert rows == stated


@pytest.mark.parametrize("table", personal_data.guild_tables(), ids=lambda table: table.name)
def test_a_column_that_holds_a_person_is_named_like_one(table):
    """By its name alone it is counted, exported and deleted with the person's data."""
    people = {column.key for column in personal_data.person_columns(table)}
    ids = {
        column.key for column in table.c if column.type.python_type is int and "BIGINT" in str(column.type)
    }
    figures = {"parameters", "characters", "generations", "random_seed"}
    unclear = {
        key
        for key in ids - people - OTHER_IDS - figures
        if not key.endswith(("_role_id", "channel_id", "message_id"))
    }
    assert unclear == set(), "name a person's id …_by, actor_id or user_id, or list it above"
