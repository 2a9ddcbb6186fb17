"""IANA time zones by name: the only reader, for what people type and for stored settings and schedules.

Old names of renamed zones (Europe/Kiev, Asia/Calcutta) work like the new ones. The package tzdata has both,
even if the host's own database does not.
"""

import functools
import unicodedata
import zoneinfo

from bot.errors import UserError
from bot.i18n import _
from bot.text import safe_text

# Entries of some hosts' databases that are not places.
NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
SHOWN_CHARACTERS = 60
# The longest names are half as long. Longer input is cut, so that it costs no time.
LONGEST = 100


class UnknownZone(UserError):
    """No time zone of that name."""

    def __init__(self, typed: str) -> None:
        super().__init__(
            _(
                "“{typed}” is not a time zone. Use one such as “Europe/Berlin”, “America/New_York” or “UTC”."
            ).format(typed=safe_text.safe(safe_text.shorten(typed, SHOWN_CHARACTERS)))
        )


@functools.cache
def names() -> tuple[str, ...]:
    """Return the names of all zones, sorted; the first call reads the disk."""
    return tuple(sorted(zoneinfo.available_timezones() - NO_PLACES))


@functools.cache
def _by_key() -> dict[str, str]:
    return {_key(name): name for name in names()}


def zone_named(typed: str) -> zoneinfo.ZoneInfo:
    """Return the zone of a name, whatever its case and spaces.

    Raises:
        UnknownZone: there is no such zone.
    """
    name = _by_key().get(_key(typed))
    if name is None:
        raise UnknownZone(typed)
    return zoneinfo.ZoneInfo(name)


def server_zone(stored: str) -> zoneinfo.ZoneInfo:
    """Return the zone of a server's setting.

    Raises:
        UserError: it is not a time zone; earlier versions accepted entries that are not places.
    """
    try:
        return zone_named(stored)
    except UnknownZone:
        raise UserError(
            _(
                "This server's setting `timezone` is “{zone}”, which is no time zone any more. "
                "Someone with Manage Server can choose another one: /settings edit."
            ).format(zone=safe_text.safe(safe_text.shorten(stored, SHOWN_CHARACTERS)))
        ) from None


def is_known(stored: str) -> bool:
    """Whether a stored name is the name of a zone."""
    return _key(stored) in _by_key()


def matching(typed: str, limit: int) -> list[str]:
    """Return up to `limit` names that contain a text; those with a part that begins with it come first."""
    key = _key(typed)
    found = [name for known, name in _by_key().items() if key in known]
    return sorted(found, key=lambda name: not any(part.startswith(key) for part in _key(name).split("/")))[
        :limit
    ]


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name[:LONGEST]).strip().replace(" ", "_").casefold()
