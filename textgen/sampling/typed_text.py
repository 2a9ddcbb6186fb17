"""A text as somebody typed it, read as a model's corpus was: one way for seeds, prompts and stop texts.

First comes the normal form that corpora are read in (`textgen.corpus.normal_form`) and the model's own case.
What the model then does not know is folded silently to a form that it knows (`textgen.unicode.plain_forms`);
the rest is left out, replaced or refused, as the settings say. Reading what was read changes nothing: the
text that is shown as a sample's seed gives the same sample again.
"""

from __future__ import annotations

from dataclasses import dataclass

from textgen.corpus import normal_form
from textgen.errors import NEVER_SEEN, SettingsError
from textgen.sampling.settings import Unseen
from textgen.tokenizers import Tokenizer
from textgen.values import checked_text

MAXIMUM_SEED_CHARACTERS = 100_000

_ROUNDS = 8
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Typed:
    """A typed text as the model goes on from it.

    Attributes:
        text: what is left, in the model's own symbols.
        folded: what was written for what (characters; words at word level).
        unseen: what the model has never seen and no form of: it was left out or replaced.
    """

    text: str
    folded: tuple[tuple[str, str], ...] = ()
    unseen: tuple[str, ...] = ()


def read_seed(seed: str, tokenizer: Tokenizer, unseen: Unseen) -> Typed:
    """Return a seed as the model goes on from it.

    Args:
        seed: as typed; "" is one too.
        tokenizer: the model's.
        unseen: what becomes of what the model has never seen, after folding.

    Raises:
        SettingsError: it is too long, holds what is to be refused, or nothing is left of it.
    """
    text = normal_form(checked_text(seed, "seed"))
    if len(text) > MAXIMUM_SEED_CHARACTERS:
        raise SettingsError(
            "the seed has {characters:,} characters; at most {most:,} are read",
            characters=len(text),
            most=MAXIMUM_SEED_CHARACTERS,
        )
    folded: dict[str, str] = {}
    lacking: dict[str, None] = {}
    # What is left out may bring a letter and an accent together that are one character then.
    for _ in range(_ROUNDS):
        text, changed = tokenizer.fold(normal_form(text))
        folded |= changed
        unknown = tokenizer.unseen(text)
        lacking |= dict.fromkeys(unknown)
        if not unknown or unseen != "drop":
            break
        text = tokenizer.without_unseen(text)
    if lacking and unseen == "refuse":
        raise _never_seen(lacking)
    text = tokenizer.seed_text(text)
    if seed.strip() and not text.strip() and unseen != "replace":
        raise _never_seen(lacking or dict.fromkeys(seed))
    return Typed(text, tuple(folded.items()), tuple(lacking))


def read_stop(stop: str, tokenizer: Tokenizer) -> tuple[str, bool]:
    """Return a stop text as the model would write it, and whether it can write it at all.

    Nothing is left out of it, and a line break or tab becomes no blank: other texts would be stopped at.
    """
    text = normal_form(stop)
    if any(symbol in text and not tokenizer.writes(symbol) for symbol in "\n\t"):
        return text, False
    text, _ = tokenizer.fold_symbols(text)
    return text, bool(text) and not tokenizer.unwritable(text)


def _never_seen(symbols: dict[str, None]) -> SettingsError:
    return SettingsError(NEVER_SEEN, shown=" ".join(repr(symbol) for symbol in list(symbols)[:_SHOWN]))
