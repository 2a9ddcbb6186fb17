"""The private answer to "Did you write this?", a paragraph for each text of the message."""

import re
from collections.abc import Sequence

import discord

from bot.authorship.checking import Checked, Outcome
from bot.i18n import _, ngettext
from bot.text import card_style, safe_text
from textgen.receipts.changes import Change

SHOWN_CHANGES = 6
_CONTEXT = 25
_CHANGED_CHARACTERS = 120
_PLACES_CHARACTERS = 1_200
_OUTER_SPACE = re.compile(r"^[^\S\n]+|[^\S\n]+$")
_COLOURS = {Outcome.YES: card_style.DONE, Outcome.CHANGED: card_style.TRAINING}


def answer_card(checked: Sequence[Checked], *, named: bool, known: bool) -> discord.Embed:
    """The card.

    Args:
        checked: one or more texts of a message.
        named: the message has buttons that name a model.
        known: this server has that model.
    """
    paragraphs = []
    for number, each in enumerate(checked, start=1):
        told = _paragraph(each, named=named, known=known)
        if len(checked) > 1:
            place = _("{number} of {count}").format(number=number, count=len(checked))
            told = f"**{place}** · {told}"
        paragraphs.append(told)
    outcomes = {each.outcome for each in checked}
    colour = _COLOURS.get(outcomes.pop(), card_style.FAILED) if len(outcomes) == 1 else card_style.QUEUED
    return discord.Embed(
        title=_("Did I write this?"), description="\n\n".join(paragraphs), colour=colour
    )  # fmt: skip


def _paragraph(each: Checked, *, named: bool, known: bool) -> str:
    name = safe_text.safe(each.model)
    match each.outcome:
        case Outcome.YES if each.claim.cut:
            return _("Yes: {model} wrote what is shown here, to the letter.").format(model=name)
        case Outcome.YES:
            return _("Yes, to the letter: {model} wrote it.").format(model=name)
        case Outcome.CHANGED:
            told = _(
                "Yes, {model} wrote it, but it was changed. What it wrote is ~~struck out~~, what stands "
                "there now is **bold**:"
            ).format(model=name)
            return f"{told}\n{_places(each)}"
        case Outcome.SEED_LOST:
            return _(
                "No: it does not begin with the text that its code belongs to, so {model} has nothing to "
                "continue."
            ).format(model=name)
        case Outcome.NO:
            return _("No: with this code {model} writes another text.").format(model=name)
        case Outcome.NO_CORPUS:
            return _(
                "I cannot tell: in this text {model} was kept from repeating what it learned from, and that "
                "is no longer stored here."
            ).format(model=name)
        case Outcome.NO_MODEL:
            return _no_model(named=named, known=known)


def _no_model(*, named: bool, known: bool) -> str:
    if known:
        return _("I cannot tell: the model that wrote it was trained again since then.")
    if named:
        return _("I cannot tell: the model that wrote it no longer exists here.")
    return _(
        "I cannot tell: no model of this server has the fingerprint in its code. The model is gone, was "
        "trained again, or never was one of this server."
    )


def _places(each: Checked) -> str:
    """The first changes, each with the text around it; those near each other are shown as one place."""
    lines: list[str] = []
    told = 0
    for place in _near_each_other(each.changes[:SHOWN_CHANGES]):
        line = f"> {_place(each.written, place)}"
        if sum(map(len, lines)) + len(line) > _PLACES_CHARACTERS:
            break
        lines.append(line)
        told += len(place)
    if more := len(each.changes) - told:
        lines.append(ngettext("{number} more change", "{number} more changes", more).format(number=more))
    return "\n".join(lines)


def _near_each_other(changes: Sequence[Change]) -> list[list[Change]]:
    places: list[list[Change]] = []
    for change in changes:
        if places and change.at - _end(places[-1][-1]) <= 2 * _CONTEXT:
            places[-1].append(change)
        else:
            places.append([change])
    return places


def _end(change: Change) -> int:
    """Where what the model wrote goes on behind a change."""
    return change.at + len(change.written)


def _place(written: str, changes: Sequence[Change]) -> str:
    """A line that Discord breaks where it must, so that a phone shows it whole."""
    beginning = max(0, changes[0].at - _CONTEXT)
    parts = ["…" if beginning else ""]
    for change in changes:
        parts.append(_visible(written[beginning : change.at]))
        parts.append(_marked("~~", change.written) + _marked("**", change.found))
        beginning = _end(change)
    parts.append(_visible(written[beginning : beginning + _CONTEXT]))
    parts.append("…" if beginning + _CONTEXT < len(written) else "")
    return "".join(parts)


def _marked(mark: str, text: str) -> str:
    # White space alone would be invisible, and marks beside white space are not understood everywhere.
    whole = _visible(_OUTER_SPACE.sub(lambda found: "␣" * len(found[0]), text))
    return f"{mark}{whole}{mark}" if whole else ""


def _visible(text: str) -> str:
    return safe_text.safe(safe_text.shorten(text.replace("\n", "⏎"), _CHANGED_CHARACTERS))
