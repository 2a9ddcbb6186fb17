"""IANA time zones by what people type."""

import functools
import zoneinfo

from bot.errors import UserError
from bot.i18n import _
from bot.presentation import safe_text

# Entries of some hosts' databases that are no place.
NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
SHOWN_CHARACTERS = 60


class UnknownZone(UserError):
    """No time zone of that name."""

    def __init__(self, typed: str) -> None:
        super().__init__(
            _(
                "“{typed}” is no time zone; say one as in “Europe/Berlin”, “America/New_York” or “UTC”."
            ).format(typed=safe_text.safe(safe_text.shorten(typed, SHOWN_CHARACTERS)))
        )


@functools.cache
def names() -> tuple[str, ...]:
    """All zones, in order; the first call reads the disk."""
    return tuple(sorted(zoneinfo.available_timezones() - NO_PLACES))


@functools.cache
def _by_key() -> dict[str, str]:
    return {_key(name): name for name in names()}


def zone_named(typed: str) -> zoneinfo.ZoneInfo:
    """The zone, whatever the case and the spaces.

    Raises:
        UnknownZone: there is none.
    """
    name = _by_key().get(_key(typed))
    if name is None:
        raise UnknownZone(typed)
    return zoneinfo.ZoneInfo(name)


def matching(typed: str, limit: int) -> list[str]:
    """Zones to offer: those of which a part begins so come before those that hold it somewhere."""
    key = _key(typed)
    found = [name for known, name in _by_key().items() if key in known]
    return sorted(found, key=lambda name: not any(part.startswith(key) for part in _key(name).split("/")))[
        :limit
    ]


def _key(name: str) -> str:
    return name.strip().replace(" ", "_").casefold()
