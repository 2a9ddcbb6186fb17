"""Warnings about a text before a model is trained on it, one line each."""

from bot.i18n import _, marked
from bot.text import card_style
from textgen.corpus import CorpusStats
from textgen.levels import CHAR, LEVELS

MANY_REPEATED = 0.3

# The kinds of secrets that `textgen.corpus.Measurer` counts.
SECRETS = (
    marked("private key"),
    marked("Discord token"),
    marked("access key"),
    marked("e-mail address"),
    marked("telephone number"),
)


def corpus_notes(
    stats: CorpusStats, level: str, *, fine_tuned: bool = False, english_base: str | None = None
) -> list[str]:
    """Return the warnings about a text; empty if there are none.

    Args:
        stats: statistics of the text.
        level: name of the level, one of `textgen.levels.LEVELS`.
        fine_tuned: whether a pretrained base learns the text, which has learned its level elsewhere.
        english_base: name of a pretrained base to advise for English; None: there is none, or no need of it.
    """
    notes = []
    if stats.suspected_secrets:
        notes.append(
            _(
                "The text seems to contain {secrets}. A model can repeat what it has read: cancel, and "
                "upload the text without them."
            ).format(secrets=", ".join(stats.suspected_secrets))
        )
    enough = LEVELS[level].enough
    if stats.characters < enough and not fine_tuned:
        notes.append(
            _(
                "The text is short for this level: it has {characters} characters, and {enough} or more "
                "work well. Expect the model to repeat the text."
            ).format(characters=card_style.count(stats.characters), enough=card_style.count(enough))
        )
    if stats.is_english and english_base is not None:
        notes.append(
            _("This text is English: with `base: {base}` a model writes better sentences.").format(
                base=english_base
            )
        )
    if level == CHAR.name and stats.too_many_symbols:
        notes.append(
            _(
                "The text has {symbols} different characters; the level `subword` learns such texts faster."
            ).format(symbols=card_style.count(stats.symbols))
        )
    if stats.duplicated_lines > MANY_REPEATED:
        notes.append(
            _("{share} of the lines repeat earlier lines.").format(
                share=card_style.percent(stats.duplicated_lines)
            )
        )
    return notes
