"""The private answer to "Did you write this?", a paragraph for each text of the message."""

from collections.abc import Sequence

import discord

from bot.authorship.checking import Checked, Outcome
from bot.i18n import _
from bot.text import card_style, safe_text
from textgen.receipts.changes import Change

SHOWN_CHANGES = 6
_CONTEXT = 25
_CHANGED_CHARACTERS = 120
_DIFF_CHARACTERS = 700
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
            told = _("Yes, {model} wrote it, but it was changed. A line with a minus is mine:").format(
                model=name
            )
            return f"{told}\n{_diff(each)}"
        case Outcome.SEED_LOST:
            return _(
                "No: it does not begin with the text that its code belongs to, so {model} has nothing to "
                "continue."
            ).format(model=name)
        case Outcome.NO:
            return _("No: with this code {model} writes another text.").format(model=name)
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


def _diff(each: Checked) -> str:
    room = _DIFF_CHARACTERS
    lines = []
    shown = each.changes[:SHOWN_CHANGES]
    for change in shown:
        lines += [
            _line("-", each.written, change, change.written),
            _line("+", each.written, change, change.found),
        ]
    block = safe_text.code_block("\n".join(lines), room).replace("```\n", "```diff\n", 1)
    more = len(each.changes) - len(shown)
    return block + ("\n" + _("{number} more changes").format(number=more) if more else "")


def _line(sign: str, written: str, change: Change, part: str) -> str:
    end = change.at + len(change.written)
    before, after = written[max(0, change.at - _CONTEXT) : change.at], written[end : end + _CONTEXT]
    whole = f"{before}[{safe_text.shorten(part, _CHANGED_CHARACTERS)}]{after}"
    return f"{sign} {whole}".replace("\n", "⏎")
