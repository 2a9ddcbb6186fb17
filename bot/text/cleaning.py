"""Removes control, direction and invisible characters from a text. Pure."""

import regex

# Control characters and lone surrogates; direction marks, embeddings, overrides and isolates; invisible ones.
_HIDDEN = regex.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\u00ad\u180e\u200b\u2028\u2029\u2060\ufeff]"
)
# No script stacks more marks. Longer stacks would cover the lines above.
_STACKED = regex.compile(r"(\p{M}{8})\p{M}+")


# What neither a database nor a message can hold. Half of a pair of surrogates is no character.
_UNSTORABLE = str.maketrans(dict.fromkeys([0, *range(0xD800, 0xE000)]))


def storable(text: str) -> str:
    """Return the text without NUL and lone surrogates; pairs of surrogates become their character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass").translate(_UNSTORABLE)


def clean(text: str) -> str:
    """Return the text without control, direction and invisible characters; newlines and tabs stay."""
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    return _STACKED.sub(r"\1", _HIDDEN.sub("", unix))
