"""The answer to `/who`: the ranking, the words that speak for each model, and the picture's two forms."""

from collections.abc import Sequence
from typing import Any

import discord

from bot.authorship.asking import Opinion, Opinions
from bot.authorship.speaking import COMPARED, NOBODY, Word, strongest
from bot.i18n import _
from bot.text import card_style, safe_text

PICTURE = "who.png"
LISTED = 10
SPOKEN_WORDS = 6
# The picture shows the beginning of a longer text.
PICTURED_CHARACTERS = 480
ALTERNATIVE_CHARACTERS = 1024
# Without a picture the card begins with so much of the text.
QUOTED_CHARACTERS = 300
NAME_CHARACTERS = 40
_LETTERS = "ABC"


def who_card(opinions: Opinions, words: Sequence[Word], *, pictured: bool) -> discord.Embed:
    """The card.

    Args:
        opinions: what the models say.
        words: of the text, with their speakers.
        pictured: the message has the picture.
    """
    ranking = opinions.ranking
    lines = [f"**{_verdict(ranking)}**", ""]
    if not pictured:
        begin = " ".join(word.text for word in words if word.text)
        lines[:0] = [f"> {safe_text.safe_within(begin, QUOTED_CHARACTERS)}", ""]
    for place, each in enumerate(ranking[:LISTED], start=1):
        told = _("{nats} nats a word, {difference} beside its own text").format(
            nats=_decimal(each.likelihood.nats_per_word),
            difference=_decimal(each.likelihood.excess_per_word, signed=True),
        )
        lines.append(f"{place}\\. **{_name(each)}** · {told}")
    if len(ranking) > LISTED:
        lines.append(_("… and {number} more").format(number=card_style.count(len(ranking) - LISTED)))
    lines += _left_out(opinions)
    embed = discord.Embed(
        title=_("Who wrote it?"),
        description="\n".join(lines),
        colour=card_style.FAILED if ranking[0].likelihood.unlike else card_style.SAMPLE,
    )
    for speaker, name in _speakers(ranking):
        spoken = strongest(words, speaker, SPOKEN_WORDS)
        if spoken:
            heading = _("Speaks for {model}").format(model=safe_text.shorten(name, NAME_CHARACTERS))
            embed.add_field(name=heading, value=safe_text.safe_within(", ".join(spoken), 300))
    if pictured:
        embed.set_image(url=f"attachment://{PICTURE}")
    embed.set_footer(
        text=_("How unlikely each model finds the text, beside text of its own author that it never saw.")
    )
    return embed


def alternative_text(opinions: Opinions, words: Sequence[Word]) -> str:
    """What the picture shows, for those who cannot see it."""
    told = [_("The text, each word in the colour of the model that it speaks for.")]
    for speaker, name in _speakers(opinions.ranking):
        spoken = safe_text.plain(", ".join(strongest(words, speaker, 2 * SPOKEN_WORDS)))
        if spoken:
            told.append(_("For {model}: {words}.").format(model=name, words=spoken))
    return safe_text.shorten(" ".join(told), ALTERNATIVE_CHARACTERS)


def picture_of(opinions: Opinions, words: Sequence[Word]) -> dict[str, Any]:
    """What `bot.authorship.picture` is told to draw."""
    shown: list[Word] = []
    room = PICTURED_CHARACTERS
    for word in words:
        room -= len(word.text) + 1
        if room < 0:
            break
        shown.append(word)
    names = dict(_speakers(opinions.ranking))
    letters = [*_LETTERS, "–"]
    order = [*range(COMPARED), NOBODY]
    return {
        "legend": [
            {"letter": letter, "name": names.get(speaker, "")}
            for letter, speaker in zip(letters, order, strict=True)
        ],
        "words": [
            {"text": word.text, "chip": order.index(word.speaker), "strength": word.strength}
            for word in shown
            if word.text
        ],
        "cut": len(shown) < len(words),
    }


def _speakers(ranking: Sequence[Opinion]) -> list[tuple[int, str]]:
    """Whose words are told apart, each with a name that is safe in plain text."""
    named = [(place, safe_text.plain(each.model.name)) for place, each in enumerate(ranking[:COMPARED])]
    return [*named, (NOBODY, _("none of them"))]


def _verdict(ranking: Sequence[Opinion]) -> str:
    first = ranking[0]
    if first.likelihood.unlike:
        return _("Most likely none of them. {model} comes nearest.").format(model=_name(first))
    if len(ranking) > 1:
        second = ranking[1]
        apart = second.likelihood.excess_per_word - first.likelihood.excess_per_word
        if apart < first.likelihood.error_per_word:
            return _("{model} or {other}: they are too close to tell.").format(
                model=_name(first), other=_name(second)
            )
    return _("Most likely {model}.").format(model=_name(first))


def _left_out(opinions: Opinions) -> list[str]:
    lines = []
    if opinions.late:
        lines.append(_("Did not answer in time: {models}").format(models=_names(opinions.late)))
    if opinions.unmeasured:
        lines.append(_("Cannot be compared: {models}").format(models=_names(opinions.unmeasured)))
    if opinions.older:
        lines.append(_("Not asked, because they are older: {number}").format(number=opinions.older))
    return [f"-# {line}" for line in lines]


def _names(models: Sequence[Any]) -> str:
    return safe_text.safe_within(", ".join(model.name for model in models), 200)


def _name(each: Opinion) -> str:
    return safe_text.safe_within(each.model.name, NAME_CHARACTERS)


def _decimal(number: float, *, signed: bool = False) -> str:
    shown = card_style.decimal(round(abs(number), 2))
    sign = "−" if number < 0 else "+" if signed else ""
    return f"{sign}{shown}"
