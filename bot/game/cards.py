"""What people read of a round: the question, its solution, and the scores."""

from collections.abc import Mapping, Sequence

import discord

from bot.i18n import _, ngettext
from bot.text import card_style, safe_text
from models import GameRound, GameScore
from models.games import Tally

NAME_CHARACTERS = 60


def quoted(line: str) -> str:
    """The line as the message has it; it stays there when the solution replaces the card."""
    return f">>> {safe_text.safe(line)}"


def question_card(row: GameRound, model_name: str) -> discord.Embed:
    """The card below the line while people answer."""
    name = safe_text.safe_within(model_name, NAME_CHARACTERS)
    return discord.Embed(
        title=_("Real or Pastiche?"),
        description=_(
            "**Real**: a line of the text that {model} learned from.\n"
            "**Pastiche**: {model} wrote it.\n"
            "The solution comes {moment}."
        ).format(model=name, moment=discord.utils.format_dt(row.closes_at, "R")),
        colour=card_style.TRAINING,
    )


def solution_card(row: GameRound, model_name: str | None, said: Tally) -> discord.Embed:
    """The card below the line once the round is over.

    Args:
        row: the round.
        model_name: None if the model was deleted since then.
        said: what people said.
    """
    name = _("the model") if model_name is None else safe_text.safe_within(model_name, NAME_CHARACTERS)
    verdict = (
        _("**Real.** It stands in the text that {model} learned from.")
        if row.is_real
        else _("**Pastiche.** {model} wrote it.")
    ).format(model=name)
    likelihood = _("{model} finds it: {nats} nats a word; in text it never saw, {expected}.").format(
        model=name, nats=_decimal(row.nats_per_word), expected=_decimal(row.expected_per_word)
    )
    embed = discord.Embed(
        title=_("Real or Pastiche?"), description=f"{verdict}\n{likelihood}", colour=card_style.DONE
    )
    right, wrong = (said.real, said.pastiche) if row.is_real else (said.pastiche, said.real)
    answers = _("Nobody answered.")
    if right + wrong:
        answers = ngettext("{right} of {number} was right.", "{right} of {number} were right.", right).format(
            right=card_style.count(right), number=card_style.count(right + wrong)
        )
    embed.add_field(name=_("Answers"), value=answers)
    embed.set_footer(text=_("The fewer nats, the more the model expects a line."))
    return embed


def scores_card(scores: Sequence[GameScore], names: Mapping[int, str], *, kept: bool) -> discord.Embed:
    """The best of those who keep a score.

    Args:
        scores: the best first.
        names: of these people, safe to show.
        kept: the reader's own answers are counted.
    """
    lines = [
        f"{place}\\. {safe_text.person(names[score.user_id])} · "
        + _("{right} of {number} right").format(
            right=card_style.count(score.correct), number=card_style.count(score.rounds)
        )
        for place, score in enumerate(scores, start=1)
    ]
    hint = (
        _("Your answers are counted. `keep: False` deletes your score.")
        if kept
        else _("Your answers are not counted. `keep: True` counts them from now on.")
    )
    return discord.Embed(
        title=_("Real or Pastiche? Scores"),
        description="\n".join([*(lines or [_("Nobody has a score yet.")]), "", f"-# {hint}"]),
        colour=card_style.SAMPLE,
    )


def _decimal(number: float) -> str:
    return card_style.decimal(round(number, 2))
