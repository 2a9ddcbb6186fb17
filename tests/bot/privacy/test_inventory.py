"""The inventory covers every table with data of a guild, and PRIVACY.md repeats it."""

from pathlib import Path

import pytest

from bot.privacy.inventory import INVENTORY, Stored
from models import personal_data
from models.tables import Base, guild_tables

PRIVACY = (Path(__file__).parents[3] / "PRIVACY.md").read_text(encoding="utf-8")
# 64-bit ids that do not identify a person.
OTHER_IDS = frozenset({"guild_id", "channel_id", "message_id", "report_channel_id", "trainer_role_id"})


def test_every_table_of_guilds_has_a_statement():
    stated = {stored.table for stored in INVENTORY}
    assert {table.name for table in guild_tables()} - stated == set()
    assert stated - set(Base.metadata.tables) == set()


@pytest.mark.parametrize("stored", INVENTORY, ids=lambda stored: stored.what[:30])
def test_a_statement_says_what_is_stored_and_until_when(stored: Stored):
    assert isinstance(stored, Stored)
    assert stored.what.strip()
    assert stored.until.strip()


def test_privacy_md_repeats_exactly_the_inventory():
    rows = [line for line in PRIVACY.splitlines() if line.startswith("| ") and "`" in line]
    assert rows == [f"| {stored.what} | `{stored.table}` | {stored.until} |" for stored in INVENTORY]


@pytest.mark.parametrize("table", guild_tables(), ids=lambda table: table.name)
def test_a_column_that_holds_a_person_is_named_like_one(table):
    """By its name alone it is counted, exported and deleted with the person's data."""
    people = {column.key for column in personal_data.person_columns(table)}
    ids = {
        column.key for column in table.c if column.type.python_type is int and "BIGINT" in str(column.type)
    }
    figures = {"parameters", "characters", "generations", "random_seed", "size"}
    unclear = {
        key
        for key in ids - people - OTHER_IDS - figures
        if not key.endswith(("_role_id", "channel_id", "message_id"))
    }
    assert unclear == set(), "name a person's id …_by, actor_id or user_id, or list it above"
