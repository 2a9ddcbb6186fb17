"""Which guilds a process serves: the one place that says so, to Python and to the database.

Discord sends the events of a guild to one of n connections, the shard `(guild id >> 22) mod n`, and a process
serves some of the n. Whatever looks across guilds asks here, so that each guild is looked after by one
process: by the one that Discord tells of it.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

TIMESTAMP_SHIFT = 22
"""Below a Discord id's time stamp lie as many bits: https://docs.discord.com/developers/events/gateway#sharding."""


@dataclass(frozen=True)
class ServedShards:
    """The shards of this process.

    Attributes:
        count: the number of shards over all processes, 1 or more.
        ids: those of this process, each at least 0 and below `count`.
    """

    count: int = 1
    ids: frozenset[int] = frozenset({0})

    @property
    def are_all(self) -> bool:
        """Whether this process serves every guild."""
        return len(self.ids) == self.count

    def owns(self, guild_id: int) -> bool:
        """Whether this process serves a guild."""
        return (guild_id >> TIMESTAMP_SHIFT) % self.count in self.ids

    def rows(self, guild_id: InstrumentedAttribute[int]) -> sa.ColumnElement[bool]:
        """Return the condition of the rows whose guild this process serves.

        Args:
            guild_id: the column that holds the guild.
        """
        if self.are_all:
            return sa.true()
        # PostgreSQL shifts a bigint by an integer only, and a parameter would be sent as another bigint.
        shift = sa.literal_column(str(TIMESTAMP_SHIFT), sa.Integer)
        shard = guild_id.bitwise_rshift(shift).self_group() % self.count
        return shard.in_(sorted(self.ids))


EVERY_GUILD = ServedShards()
"""What a process serves that has no part of the shards in particular."""
