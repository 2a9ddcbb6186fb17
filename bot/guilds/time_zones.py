"""IANA time zones by what people type: the one reader for settings, schedules and what they have stored.

Old names of zones that were renamed (Europe/Kiev, Asia/Calcutta) are read like the new ones; the package
tzdata has both, whatever the host's own database lacks.
"""

import functools
import unicodedata
import zoneinfo

from bot.errors import UserError
from bot.i18n import _
from bot.text import safe_text

# Entries of some hosts' databases that are no place.
NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
SHOWN_CHARACTERS = 60
# The longest names have half as many characters; longer input is none, and costs no time.
LONGEST = 100


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


def server_zone(stored: str) -> zoneinfo.ZoneInfo:
    """The zone that a server's setting names.

    Raises:
        UserError: it is known no longer: versions of before took entries that are no place.
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
    """Whether a stored name is that of a zone."""
    return _key(stored) in _by_key()


def matching(typed: str, limit: int) -> list[str]:
    """Zones to offer: those of which a part begins so come before those that hold it somewhere."""
    key = _key(typed)
    found = [name for known, name in _by_key().items() if key in known]
    return sorted(found, key=lambda name: not any(part.startswith(key) for part in _key(name).split("/")))[
        :limit
    ]


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name[:LONGEST]).strip().replace(" ", "_").casefold()
