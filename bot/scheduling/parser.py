"""Parses the rule that a person types; an error says in one line what would be accepted. Pure.

`daily 09:00` · `weekdays 18:30` · `weekends 10:00` · `every monday 08:15` · `hourly` · `every 6 hours` ·
`every 30 minutes` · cron with five fields. Parsing a rule's own text gives the rule again.
"""

import datetime
import re

from croniter import croniter

from bot.errors import UserError
from bot.i18n import _, ngettext
from bot.scheduling import rules
from bot.scheduling.rules import Cron, Daily, Every, Rule
from bot.text import safe_text

SHOWN_CHARACTERS = 60
LONGEST_MINUTES = 366 * rules.MINUTES_A_DAY
FIRST_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

_TIME = r"(?:at )?(?P<hour>\d{1,2})[:.](?P<minute>\d{2})"
_DAYS = re.compile(rf"(?:(?P<every>every) )?(?P<days>[a-z]+) {_TIME}", re.ASCII)
_EVERY = re.compile(r"every (?:(?P<number>\d{1,9}) )?(?P<unit>hours?|minutes?|h|min)", re.ASCII)
_DAY_SETS = {
    "daily": rules.EVERY_DAY,
    "day": rules.EVERY_DAY,
    "weekdays": rules.WORKING_DAYS,
    "weekday": rules.WORKING_DAYS,
    "weekends": rules.WEEKEND,
    "weekend": rules.WEEKEND,
} | {
    name: frozenset({number})
    for number, day in enumerate(rules.WEEKDAYS)
    for name in (day, f"{day}s", day[:3])
}
_CRON_FIELDS = 5
# croniter draws R at random and derives H from a name, so neither is a fixed time.
_NO_TIME = re.compile(r"(?<![a-z])[rh](?![a-z])", re.IGNORECASE)


class UnreadableRule(UserError):
    """The text is not a rule, or the rule posts too often; `str()` is one line."""


def read_rule(typed: str, *, least_minutes: int = 1) -> Rule:
    """Parse a rule.

    Args:
        typed: text that a person typed.
        least_minutes: shortest time allowed between two posts, in minutes.

    Raises:
        UnreadableRule: it is not a rule, or it posts more often.
    """
    rule = _read(" ".join(typed.split()))
    gap = rule.shortest_gap
    if gap < least_minutes * rules.MINUTE:
        minutes = gap // rules.MINUTE
        often = ngettext("every {number} minute", "every {number} minutes", minutes).format(number=minutes)
        least = ngettext("{number} minute", "{number} minutes", least_minutes).format(number=least_minutes)
        raise UnreadableRule(
            _("“{typed}” can post {often}; there must be at least {least} between two posts.").format(
                typed=_shown(typed), often=often, least=least
            )
        )
    return rule


def _read(typed: str) -> Rule:
    words = typed.lower()
    if words in ("hourly", "every hour", "every hour on the hour"):
        return Every(60, on_the_hour=True)
    if match := _DAYS.fullmatch(words):
        days = _DAY_SETS.get(match["days"])
        if days is None or (match["every"] and match["days"] == "daily"):
            raise _unreadable(typed)
        return Daily(_time(typed, match), days)
    if match := _EVERY.fullmatch(words):
        return _every(typed, match)
    fields = words.removeprefix("cron ").split()
    if words.startswith("cron ") or (len(fields) >= _CRON_FIELDS and not fields[0].isalpha()):
        return _cron(typed, fields)
    raise _unreadable(typed)


def _time(typed: str, match: re.Match[str]) -> datetime.time:
    try:
        return datetime.time(int(match["hour"]), int(match["minute"]))
    except ValueError:
        raise UnreadableRule(
            _("“{typed}” has no time of day: it goes from 00:00 to 23:59.").format(typed=_shown(typed))
        ) from None


def _every(typed: str, match: re.Match[str]) -> Every:
    minutes = int(match["number"] or 1) * (60 if match["unit"].startswith("h") else 1)
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise UnreadableRule(
            _(
                "“{typed}” is not a possible interval: use 1 minute to 366 days, such as “every 6 hours”."
            ).format(typed=_shown(typed))
        )
    return Every(minutes)


def _cron(typed: str, fields: list[str]) -> Cron:
    if len(fields) != _CRON_FIELDS:
        raise UnreadableRule(
            ngettext(
                "“{typed}” has {number} field; cron has five here: minute, hour, day of the month, month, "
                "day of the week, such as `0 9 * * 1-5`.",
                "“{typed}” has {number} fields; cron has five here: minute, hour, day of the month, month, "
                "day of the week, such as `0 9 * * 1-5`.",
                len(fields),
            ).format(typed=_shown(typed), number=len(fields))
        )
    expression = " ".join(fields)
    if _NO_TIME.search(expression) or not croniter.is_valid(expression):
        raise UnreadableRule(
            _("“{typed}” is not valid cron; `0 9 * * 1-5` would be 09:00 from Monday to Friday.").format(
                typed=_shown(typed)
            )
        )
    try:
        croniter(expression, FIRST_YEAR).get_next(datetime.datetime)
    except ValueError:
        raise UnreadableRule(
            _("“{typed}” never comes: there is no such day.").format(typed=_shown(typed))
        ) from None
    return Cron(expression)


def _unreadable(typed: str) -> UnreadableRule:
    return UnreadableRule(
        _(
            "I do not understand “{typed}”. Use “daily 09:00”, “weekdays 18:30”, “weekends 10:00”, "
            "“every monday 08:15”, “every 6 hours”, “hourly”, or cron such as `0 9 * * 1-5`."
        ).format(typed=_shown(typed))
    )


def _shown(typed: str) -> str:
    return safe_text.safe(safe_text.shorten(" ".join(typed.split()), SHOWN_CHARACTERS))
