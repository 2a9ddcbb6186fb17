"""Names of models: how they are stored and shown, and how they are compared.

Invisible characters must neither distinguish two names nor hide in one. Joiners, selectors and tags that
change what is seen (emoji of several parts, Persian and Indic words, flags of regions) stay in a name.
"""

import unicodedata

import regex

from models.tables import NAME_CHARACTERS

# Composing never shortens a text to a tenth, so a name longer than this is too long in any form.
_LONGEST_NORMALIZED = 10 * NAME_CHARACTERS

# Scripts whose letters take another form beside a joiner or a non-joiner.
_SCRIPTS = (
    r"\p{Adlam}\p{Arabic}\p{Balinese}\p{Bengali}\p{Devanagari}\p{Grantha}\p{Gujarati}\p{Gurmukhi}\p{Javanese}"
    r"\p{Kannada}\p{Khmer}\p{Malayalam}\p{Mandaic}\p{Manichaean}\p{Mongolian}\p{Myanmar}\p{Nko}\p{Oriya}"
    r"\p{Sinhala}\p{Syriac}\p{Tamil}\p{Telugu}\p{Thaana}\p{Tibetan}"
)
_BEFORE = rf"(?<=[{_SCRIPTS}]\p{{M}}{{0,4}})"
_NEVER_SEEN = r"\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cs}\u2800"
_INVISIBLE = regex.compile(
    "(?P<shapes>"
    "\U0001f3f4[\U000e0020-\U000e007e]{1,16}\U000e007f"
    r"|(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f\u20e3"
    "\U000e007f])\u200d(?=\\p{Extended_Pictographic})"
    rf"|{_BEFORE}[\u200c\u200d](?=[{_SCRIPTS}])|{_BEFORE}\u200d(?!\p{{L}})"
    r"|(?<=\p{Emoji})[\ufe0e\ufe0f]"
    "|(?<=\\p{Han})[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
    "|(?<=\\p{Mongolian})[\u180b-\u180d\u180f]"
    ")|(?P<varies_nothing>[\ufe00-\ufe0f\U000e0100-\U000e01ef])"
    f"|(?P<stray>[{_NEVER_SEEN}])"
)
_FOLDED_AWAY = regex.compile(f"[{_NEVER_SEEN}]+")


class InvalidNameError(ValueError):
    """A name that no text model can have; ``str(error)`` is one line for the person who typed it.

    Args:
        line: format string of that line, which can be translated.
        **values: values of the fields in `line`.
    """

    def __init__(self, line: str, **values: str | int) -> None:
        """Format the line."""
        super().__init__(line.format(**values))
        self.line, self.values = line, values


def clean_name(name: str) -> str:
    """Return the name as it will be shown: composed, with single spaces and no stray invisible characters.

    Raises:
        InvalidNameError: the name is empty, too long, or has stray invisible characters.
    """
    # The time to compose a run of marks grows with the square of its length.
    cleaned = (
        name if len(name) > _LONGEST_NORMALIZED else " ".join(unicodedata.normalize("NFC", name).split())
    )
    if not cleaned:
        raise InvalidNameError(
            "a model needs a name of 1 to {most} characters; this one is empty", most=NAME_CHARACTERS
        )
    if len(cleaned) > NAME_CHARACTERS:
        raise InvalidNameError(
            "a model's name has at most {most} characters; this one has {characters}",
            most=NAME_CHARACTERS,
            characters=len(cleaned),
        )
    return _INVISIBLE.sub(_kept, cleaned)


def key_of(name: str) -> str:
    """Return the form of a name for comparison: without case, width, extra spaces or invisible characters."""
    if len(name) > _LONGEST_NORMALIZED:
        return name  # no model has such a name
    spaced = " ".join(unicodedata.normalize("NFKC", name).split())
    folded = unicodedata.normalize("NFKC", _FOLDED_AWAY.sub("", spaced).casefold())
    return " ".join(folded.split())


def _kept(match: "regex.Match[str]") -> str:
    if match["shapes"]:
        return match["shapes"]
    if match["stray"]:
        raise InvalidNameError(
            "a model's name cannot hold the invisible character U+{code:04X}; leave it out",
            code=ord(match["stray"]),
        )
    return ""
