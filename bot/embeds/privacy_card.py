"""What is stored about a person and a server, as cards."""

from collections.abc import Mapping, Sequence

import discord

from bot.i18n import _, marked, ngettext
from bot.infra.paths import CORPORA, JOBS, MODELS
from bot.privacy.inventory import Stored
from bot.text import card_style, safe_text

# How many of the rows a person reads about, in this order; a table without a name here has its own.
NOUNS = {
    "corpus": marked("Uploaded texts"),
    "text_model": marked("Models"),
    "training_job": marked("Trainings"),
    "schedule": marked("Schedules"),
    "scheduled_post": marked("Scheduled posts"),
    "report": marked("Reports"),
    "game_round": marked("Rounds of the game"),
    "game_answer": marked("Answers in the game"),
    "game_score": marked("Scores in the game"),
    "audit_event": marked("Entries in the audit log"),
}
NOT_COUNTED = frozenset({"guild_settings"})
# All embeds of a message have 6,000 characters together; the statements get what is sure to be left.
STATEMENTS_CHARACTERS = 3800


def person_card(counts: Mapping[str, int], *, texts: int, bytes_: int) -> discord.Embed:
    """What names a person here.

    Args:
        counts: rows by table.
        texts: uploaded texts that are still stored.
        bytes_: what these take on the disk.
    """
    embed = discord.Embed(title=_("Stored about you in this server"), colour=card_style.SETTINGS)
    if not any(counts.values()):
        embed.description = _("Nothing.")
        return embed
    lines = _counted(counts)
    stored = _("Texts on the disk: **{number}** ({size})")
    lines.append(stored.format(number=card_style.count(texts), size=card_style.size(bytes_)))
    embed.description = "\n".join(lines)
    embed.set_footer(text=_("/privacy export gives you a file of it, /privacy delete deletes it"))
    return embed


def guild_card(counts: Mapping[str, int], sizes: Mapping[str, int], keep_days: int | None) -> discord.Embed:
    """What is stored for the server, for those who manage it.

    Args:
        counts: rows by table.
        sizes: bytes on the disk by kind of file, as in `bot.infra.paths`.
        keep_days: how long texts are kept after their training; None for always.
    """
    embed = discord.Embed(title=_("Stored for this server"), colour=card_style.SETTINGS)
    embed.add_field(name=_("In the database"), value="\n".join(_counted(counts)) or _("Nothing."))
    embed.add_field(
        name=_("On the disk"),
        value="\n".join(
            f"{name}: **{card_style.size(sizes[kind])}**"
            for name, kind in ((_("Texts"), CORPORA), (_("Models"), MODELS), (_("Trainings"), JOBS))
        ),
    )
    kept = (
        _("Uploaded texts are kept until they are deleted; `/settings edit keep_corpora_days` changes that.")
        if keep_days is None
        else ngettext(
            "Uploaded texts are deleted {days} day after their last training.",
            "Uploaded texts are deleted {days} days after their last training.",
            keep_days,
        ).format(days=keep_days)
    )
    leaving = _("Everything is deleted 30 days after this bot was removed from the server.")
    embed.add_field(name=_("For how long"), value=f"{kept}\n{leaving}", inline=False)
    return embed


def statements_card(statements: Sequence[Stored]) -> discord.Embed:
    """What the commands store and until when, in their own words."""
    lines = [f"{_(each.what)}\n*{_(each.until)}*" for each in statements]
    never = _("Never stored: messages of your channels, and the texts of /generate and /who.")
    text = ""
    for line in lines:
        if len(text) + len(line) > STATEMENTS_CHARACTERS:
            break
        text += f"• {line}\n"
    return discord.Embed(
        title=_("What is stored, and until when"),
        description=f"{text}\n**{never}**",
        colour=card_style.QUEUED,
    )


def _counted(counts: Mapping[str, int]) -> list[str]:
    names = [*NOUNS, *(name for name in counts if name not in NOUNS and name not in NOT_COUNTED)]
    return [
        f"{_(NOUNS[name]) if name in NOUNS else safe_text.safe(name)}: **{card_style.count(counts[name])}**"
        for name in names
        if counts.get(name)
    ]
