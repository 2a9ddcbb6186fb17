"""The audit log: who changed what, as lines that people read."""

import json
from collections.abc import Mapping, Sequence

import discord

from bot.guilds import setting_values
from bot.guilds.settings import BY_OPTION, Kind, Setting
from bot.i18n import _, marked, ngettext
from bot.text import card_style, safe_text
from models import AuditEvent

EVENTS_A_PAGE = 15
DETAIL_CHARACTERS = 60
SUBJECT_CHARACTERS = 80
DESCRIPTION_CHARACTERS = 4096

# Names in braces come from the event's subject and details; a value that an event lacks is a dash.
SENTENCES = {
    "settings.changed": marked("{who} set {subject} from {old} to {new}"),
    "settings.reset": marked("{who} reset {subject} from {old} to {new}"),
    "model.renamed": marked("{who} renamed the model {before} to {subject}"),
    "model.deleted": marked("{who} deleted the model {subject}"),
    "model.imported": marked("{who} imported the model {subject}"),
    "model.exported": marked("{who} exported the model {subject}"),
    "model.made_default": marked("{who} made {subject} the default model"),
    "training.queued": marked("{who} queued the training of {subject}"),
    "training.cancelled": marked("{who} cancelled the training of {subject}"),
    "training.finished_early": marked("{who} finished the training of {subject} early"),
    "schedule.added": marked("{who} added the schedule {subject}"),
    "schedule.paused": marked("{who} paused the schedule {subject}"),
    "schedule.resumed": marked("{who} resumed the schedule {subject}"),
    "schedule.removed": marked("{who} removed the schedule {subject}"),
    "post.stopped": marked("{who} stopped the posts of {subject}"),
    "sample.reported": marked("{who} reported a text"),
    "data.exported": marked("{who} exported stored data"),
    "data.deleted": marked("{who} deleted stored data"),
}


def audit_page(
    events: Sequence[AuditEvent], page: int, *, total: int, names: Mapping[int, str]
) -> discord.Embed:
    """One page of the audit log, newest first.

    Args:
        events: the rows of this page.
        page: number of the page, from 0.
        total: number of events on all pages.
        names: display names by Discord user id.
    """
    embed = discord.Embed(title=_("Recent changes"), colour=card_style.SETTINGS)
    lines = [
        f"{discord.utils.format_dt(event.created_at, 'R')} {_sentence(event, names)}" for event in events
    ]
    while lines and len("\n".join(lines)) > DESCRIPTION_CHARACTERS:
        lines.pop()
    embed.description = "\n".join(lines) or _("No changes yet.")
    pages = page_count(total)
    changes = ngettext("{number} change", "{number} changes", total).format(number=card_style.count(total))
    place = _("page {page} of {pages}").format(page=page + 1, pages=pages)
    embed.set_footer(text=changes if pages == 1 else f"{changes} · {place}")
    return embed


def page_count(events: int) -> int:
    """Number of pages for so many events, at least 1."""
    return max(1, -(-events // EVENTS_A_PAGE))


def _sentence(event: AuditEvent, names: Mapping[int, str]) -> str:
    sentence = SENTENCES.get(event.action)
    setting = BY_OPTION.get(event.subject) if event.action.startswith("settings.") else None
    details = json.loads(event.details)
    values = {name: _value(value, setting) for name, value in details.items()}
    named = safe_text.safe_within(event.subject or "–", SUBJECT_CHARACTERS)
    subject = f"**{named}**" if setting is None else f"`{setting.option}`"
    who = f"**{safe_text.person(names[event.actor_id])}**"
    if sentence is None:
        return f"{who} {safe_text.safe(event.action)} {subject}"
    return _(sentence).format_map(_Values(values | {"who": who, "subject": subject}))


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "–"


def _value(value: object, setting: Setting | None) -> str:
    if setting is None:
        return _shortened(value)
    match setting.kind:
        case Kind.WORDS if isinstance(value, int) and value:
            return ngettext("{number} word", "{number} words", value).format(number=value)
        case Kind.MODEL if value is not None:
            return _shortened(value)
        case _:
            return setting_values.shown(setting, value or None if setting.kind is Kind.WORDS else value)


def _shortened(value: object) -> str:
    return "–" if value is None else safe_text.safe_within(str(value), DETAIL_CHARACTERS)
