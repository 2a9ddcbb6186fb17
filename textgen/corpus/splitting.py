"""`textgen corpus split`: make ``validate.txt`` from paragraphs of ``input.txt``.

Held-out paragraphs are removed from the training text, so that a model is tested on unseen text. The files
keep their encoding and line breaks, and afterwards every character is in exactly one of them. This module
must not import NumPy or Keras.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from textgen.corpus.reading.cut_places import ends_grapheme, grapheme_cut
from textgen.corpus.reading.encoding import Decoder, detect
from textgen.corpus.reading.sources import TRAINING_FILE, VALIDATION_FILE
from textgen.corpus.reading.text import MAXIMUM_BYTES, unreadable
from textgen.errors import CorpusError, SettingsError
from textgen.files import atomic

DEFAULT_SHARE = 0.1

_BREAK = r"(?:\r\n|\r|\n)"
# The end of each unit. It belongs to the unit, so that all units together are the text.
_ENDS = {
    "paragraphs": re.compile(rf"{_BREAK}(?:[ \t]*{_BREAK})+"),
    "lines": re.compile(_BREAK),
    "sentences": re.compile(r"[.!?…][\"'”’»)\]]*\s+|[。！？][”’」』]*"),
    "words": re.compile(r"\s+"),
}


@dataclass(frozen=True, slots=True)
class Split:
    """The result of `split`.

    Attributes:
        training: length of ``input.txt`` in characters.
        validation: length of ``validate.txt`` in characters.
        unit: the unit that was held out: "paragraphs", "lines", "sentences", "words" or "characters".
    """

    training: int
    validation: int
    unit: str


def split(
    folder: Path,
    *,
    share: float = DEFAULT_SHARE,
    scattered: bool = False,
    random_seed: int = 1,
    force: bool = False,
    encoding: str | None = None,
) -> Split:
    """Move a part of ``input.txt`` to ``validate.txt``.

    The end is held out unless ``scattered``. Neighbouring paragraphs share names and topics, so scattered
    paragraphs are easier to predict than new text. For a collection of short pieces (poems, jokes,
    recipes) scattered ones are the better choice.

    Args:
        folder: the folder with ``input.txt``.
        share: share of the text to hold out, more than 0 and at most 0.5.
        scattered: whether to hold out random paragraphs instead of the last ones.
        random_seed: decides which paragraphs are held out.
        force: whether to append an existing ``validate.txt`` to the training text and divide it again.
        encoding: the files' encoding; None for UTF-8 or the one of a byte-order mark.

    Raises:
        SettingsError: the share is outside its bounds.
        CorpusError: the text is absent, not text, or too short to divide, there is a ``validate.txt``, or
            the disk refuses.
    """
    if not 0 < share <= 0.5:
        raise SettingsError(f"the share is {share:g}; it must be more than 0 and at most 0.5")
    source, target = folder / TRAINING_FILE, folder / VALIDATION_FILE
    text, mark, kind = _read(source, encoding)
    # The command is meant to rewrite this file, but a read-only file is refused.
    atomic.refuse_to_overwrite(source, CorpusError, force=True)
    source = Path(os.path.realpath(source))
    if os.path.lexists(target):
        if not force:
            raise CorpusError(
                f"{target} is there already", advice=["--force puts its text back and divides anew"]
            )
        before, _, _ = _read(target, encoding)
        text += before
    training, validation, unit = divide_text(text, share, random_seed if scattered else None)
    shortened = atomic.beside(source, "new")
    try:
        atomic.write_bytes(shortened, mark + training.encode(kind))
        shortened.chmod(source.stat().st_mode & 0o7777)
        # In this order a crash in between leaves a paragraph in both files, but never in none.
        atomic.write_bytes(target, mark + validation.encode(kind))
        shortened.replace(source)
        atomic.sync_folder(source.parent)
    except OSError as error:
        raise CorpusError(f"{folder} cannot be written: {error.strerror}; nothing was changed") from None
    finally:
        shortened.unlink(missing_ok=True)
    return Split(len(training), len(validation), unit)


def divide_text(text: str, share: float, random_seed: int | None = None) -> tuple[str, str, str]:
    """Divide a text at paragraphs; if there are too few, at lines, sentences, words or graphemes.

    Args:
        text: the whole text.
        share: share of the text to hold out, 0 to 0.5.
        random_seed: decides which units are held out; None for the last ones.

    Returns:
        The training text, the validation text, and the unit that was held out. Neither text is empty, and
        each character is in one of them, in the order of the whole text.

    Raises:
        CorpusError: the text has less than two graphemes.
    """
    wanted = len(text) * share
    for unit, end in _ENDS.items():
        ends = (match.end() for match in end.finditer(text))
        cuts = [0, *(place for place in ends if ends_grapheme(text, place)), len(text)]
        units = [text[begin:stop] for begin, stop in pairwise(cuts) if begin < stop]
        held_out = _choose([len(part) for part in units], wanted, random_seed)
        if held_out:
            training = "".join(part for index, part in enumerate(units) if index not in held_out)
            validation = "".join(part for index, part in enumerate(units) if index in held_out)
            return training, validation, unit
    at = grapheme_cut(text, max(1, round(len(text) - wanted)))
    if at == len(text):
        at = grapheme_cut(text, 1)
    if at >= len(text):
        raise CorpusError("the text has less than two characters; there is nothing to divide")
    return text[:at], text[at:], "characters"


def _choose(lengths: Sequence[int], wanted: float, random_seed: int | None) -> set[int]:
    """Return the indices of the units to hold out; none if the units are too long for the wanted length."""
    order = list(reversed(range(len(lengths))))
    if random_seed is not None:
        random.Random(random_seed).shuffle(order)  # noqa: S311 -- not for secrets
    chosen: set[int] = set()
    held = 0
    for index in order:
        # Another unit is added only if the length comes closer to the wanted one.
        if abs(held + lengths[index] - wanted) < abs(held - wanted):
            chosen.add(index)
            held += lengths[index]
        elif random_seed is None:
            break
    near = 0.5 * wanted <= held <= 1.5 * wanted
    return chosen if near and len(chosen) < len(lengths) else set()


def _read(path: Path, encoding: str | None) -> tuple[str, bytes, str]:
    """Return a file's unchanged text, its byte-order mark, and its encoding."""
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise CorpusError(f"{path} is larger than the {MAXIMUM_BYTES:,} bytes that are read")
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    length = detect(data, name=str(path))[1] if encoding is None else 0
    decoder = Decoder(str(path), encoding, flags=True)
    return decoder.decode(data, final=True), data[:length], decoder.encoding
