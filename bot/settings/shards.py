"""The shards that a process serves, as a host writes them: `4` and `0-1`, or `0,2`."""

import re

MOST = 100_000
"""More shards than any bot has; it bounds what a mistyped range can cost."""

PART = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?", re.ASCII)


def read_served(count: int | None, ids: str) -> tuple[int, frozenset[int]]:
    """Return the number of shards, and those of them that a process serves.

    Args:
        count: the number of shards over all processes; None if the host names none.
        ids: the shards of this process, such as "0-3" or "0,2"; "" for all of them.

    Raises:
        ValueError: the text is one line for the host.
    """
    if not ids:
        return count or 1, frozenset(range(count or 1))
    if count is None:
        raise ValueError(
            f"PASTICHE_SHARD_IDS is {ids!r} without PASTICHE_SHARDS: "
            "name the number of shards over all processes"
        )
    named: set[int] = set()
    for part in ids.split(","):
        match = PART.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise ValueError(
                f"PASTICHE_SHARD_IDS is {ids!r}: {part.strip()!r} is no shard and no range of shards; "
                "write 0-3 or 0,2"
            )
        if last >= count:
            raise ValueError(
                f"PASTICHE_SHARD_IDS is {ids!r}: "
                f"with {count} shards (PASTICHE_SHARDS) they are 0 to {count - 1}"
            )
        twice = named & set(range(first, last + 1))
        if twice:
            raise ValueError(f"PASTICHE_SHARD_IDS is {ids!r}: it names shard {min(twice)} twice")
        named.update(range(first, last + 1))
    return count, frozenset(named)
