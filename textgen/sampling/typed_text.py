"""Reads a typed text in the same way as the model's corpus: used for seeds, prompts and stop sequences.

First the text is brought into the normal form of corpora (`textgen.corpus.normal_form`) and the model's case.
Characters that the model does not know are then folded silently to a form that it knows
(`textgen.unicode.plain_forms`). The rest is dropped, replaced or refused, as the settings say. Reading is
idempotent: the text that is shown as a sample's seed gives the same sample again.
"""

from __future__ import annotations

from dataclasses import dataclass

from textgen.argument_checks import checked_text
from textgen.corpus import normal_form
from textgen.errors import NEVER_SEEN, SettingsError
from textgen.sampling.settings import Unseen
from textgen.tokenizers import Tokenizer

MAXIMUM_SEED_CHARACTERS = 100_000

_ROUNDS = 8
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Typed:
    """A typed text in the form that the model continues.

    Attributes:
        text: the result, in symbols that the model knows (unless unseen ones are replaced).
        folded: each typed part with the form that stands for it now (characters; words at word level).
        unseen: parts of which the model knows no form: they were dropped or replaced.
    """

    text: str
    folded: tuple[tuple[str, str], ...] = ()
    unseen: tuple[str, ...] = ()


def read_seed(seed: str, tokenizer: Tokenizer, unseen: Unseen) -> Typed:
    """Return a seed in the form that the model continues.

    Args:
        seed: as typed; it may be empty.
        tokenizer: the model's.
        unseen: what happens to symbols that the model does not know, after folding.

    Raises:
        SettingsError: it is too long, holds unseen symbols that are refused, or nothing is left of it.
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
    # Dropping a symbol can bring a letter and an accent together, which then form one character.
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
    """Return a stop sequence as the model would write it, and whether the model can write it at all.

    Nothing is dropped from it, and a line break or tab stays one: otherwise another text would stop there.
    """
    text = normal_form(stop)
    if any(symbol in text and not tokenizer.writes(symbol) for symbol in "\n\t"):
        return text, False
    text, _ = tokenizer.fold_symbols(text)
    return text, bool(text) and not tokenizer.unwritable(text)


def _never_seen(symbols: dict[str, None]) -> SettingsError:
    return SettingsError(NEVER_SEEN, shown=" ".join(repr(symbol) for symbol in list(symbols)[:_SHOWN]))
