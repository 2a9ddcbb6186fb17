"""The predicate and the SQL condition name the same guilds, and each guild has one process."""

import itertools
import random

import pytest
import sqlalchemy as sa

from models import Database, GuildSettings, guilds
from models.shards import EVERY_GUILD, ServedShards

GUILD = (7_000_000_010 << 22) + 12_345


def test_a_guild_is_served_by_the_shard_that_discord_computes():
    assert ServedShards(16, frozenset({10})).owns(GUILD)
    assert not ServedShards(16, frozenset(range(16)) - {10}).owns(GUILD)
    assert EVERY_GUILD.owns(GUILD)


@pytest.mark.parametrize("count", [1, 2, 3, 16])
def test_the_database_chooses_the_rows_that_the_predicate_chooses(database: Database, count: int):
    drawn = random.Random(count)
    ids = [1, 2**22 - 1, 2**22, 2**63 - 1, *(drawn.getrandbits(62) for _ in range(50))]
    with database.write() as session:
        for guild_id in ids:
            guilds.edit(session, guild_id)
    parts = [ServedShards(count, frozenset(range(first, count, 2))) for first in range(min(count, 2))]
    chosen = []
    with database.read() as session:
        for served in parts:
            found = sa.select(GuildSettings.guild_id).where(served.rows(GuildSettings.guild_id))
            chosen.append(set(session.scalars(found)))
            assert chosen[-1] == {guild_id for guild_id in ids if served.owns(guild_id)}
    assert set().union(*chosen) == set(ids)
    assert not any(one & other for one, other in itertools.combinations(chosen, 2))


def test_a_process_of_all_shards_adds_nothing_to_a_query():
    chosen = sa.select(GuildSettings.guild_id).where(
        GuildSettings.length > 0, ServedShards(3, frozenset({0, 1, 2})).rows(GuildSettings.guild_id)
    )
    assert "%" not in str(chosen.compile())
    assert "true" not in str(chosen.compile())
