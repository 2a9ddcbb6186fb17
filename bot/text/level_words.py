"""What people read of a level: what a model puts together, and what its figures count."""

from __future__ import annotations

from typing import NamedTuple

from bot.i18n import _


class LevelWords(NamedTuple):
    """One level in the reader's language.

    Attributes:
        tokens: what a model of the level learns, as "words".
        token: what its loss is counted for, as "a word".
        vocabulary: the size of its vocabulary, with ``{number}``.
    """

    tokens: str
    token: str
    vocabulary: str


def level_words(level: str) -> LevelWords:
    """Return the words for a level; an imported model may have one that this version does not know."""
    known = {
        "char": LevelWords(_("characters"), _("a character"), _("{number} characters")),
        "word": LevelWords(_("words"), _("a word"), _("{number} words")),
        "byte": LevelWords(_("bytes"), _("a byte"), _("{number} bytes")),
        "subword": LevelWords(_("parts of words"), _("a token"), _("{number} parts of words")),
    }
    return known.get(level, LevelWords(level, _("a token"), _("{number} tokens")))
