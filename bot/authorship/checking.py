"""Draws a claimed text again with a model of the server, and compares the two.

Models are known by their fingerprint, never by their name. The code of another server's model gets the same
answer as that of a model that never was.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from bot.authorship.claims import Claim
from bot.bundles.blends import name_of_blend
from bot.errors import SamplerUnavailable
from bot.generation.pool import SamplerPool
from bot.generation.request import SamplingOptions
from bot.generation.sampler_protocol import Blended, SampledText, SamplerRequest
from bot.i18n import _
from bot.infra.storage.errors import Damaged, StorageError
from bot.infra.storage.storage import Storage
from bot.text import hidden_words
from models import Corpus, GuildSettings, TextModel
from textgen.errors import BundleError, SettingsError
from textgen.files.bases import LLAMA
from textgen.files.fingerprint import claimed_fingerprint
from textgen.receipts.changes import Change, changes
from textgen.receipts.code import MODEL_DIGITS, Receipt, check_of
from textgen.receipts.seed_in_text import seed_in

# A longer text than what was written, by so many characters, is not compared: nobody reads such a diff.
_LONGER = 6_000


class Outcome(Enum):
    """What came of a claim."""

    YES = "to the letter"
    CHANGED = "changed"
    NO = "another text"
    SEED_LOST = "the seed is not the one of the code"
    NO_MODEL = "no model of the server has the fingerprint"
    NO_CORPUS = "the text that it was kept from repeating was deleted"


@dataclass(frozen=True)
class Checked:
    """A claim, checked.

    Attributes:
        outcome: what came of it.
        claim: what was claimed.
        model: name of the model that wrote it, or that the code names; empty without one.
        written: what the model wrote, as the server may see it.
        changes: where the claimed text differs from it.
    """

    outcome: Outcome
    claim: Claim
    model: str = ""
    written: str = ""
    changes: tuple[Change, ...] = ()


async def check(
    claim: Claim,
    models: Sequence[TextModel],
    corpora: Mapping[int, Corpus],
    pool: SamplerPool,
    storage: Storage,
    settings: GuildSettings,
) -> Checked:
    """Check a claim.

    Args:
        claim: a text with its receipt.
        models: all models of the server that asks.
        corpora: what each of them learned from, by the model's id, where that is stored.
        pool: the samplers.
        storage: has the models' bundles.
        settings: the server's.

    Raises:
        SampleRefused: the model's bundle is damaged.
        SamplerUnavailable: no sampler answered.
    """
    receipt = claim.receipt
    named = await asyncio.to_thread(_named, receipt, models, storage)
    if named is None:
        return Checked(Outcome.NO_MODEL, claim)
    row, other = named
    model = row.name if other is None else name_of_blend(row, other, receipt.mix)
    seed = await asyncio.to_thread(_seed, claim, settings.hidden_words)
    if seed is None:
        return Checked(Outcome.SEED_LOST, claim, model)
    options = SamplingOptions(
        receipt.length, receipt.temperature, receipt.top_p, receipt.random_seed, typical_p=receipt.typical_p
    )
    original = receipt.longest_copy is not None
    corpus, others = (_path(corpora.get(each.id)) if each and original else None for each in (row, other))
    if original and corpus is None and others is None:
        return Checked(Outcome.NO_CORPUS, claim, model)
    request = SamplerRequest(
        bundle=Path(row.bundle_path),
        seed=seed,
        options=options,
        corpus=corpus,
        longest_copy=receipt.longest_copy or 0,
        original=original,
        guild_id=row.guild_id,
        pretrained=row.cell == LLAMA,
        blended=None if other is None else Blended(Path(other.bundle_path), receipt.mix, others),
    )
    (text,) = await pool.samples(request)
    drawn = _read(text.receipt)
    if drawn is None or (drawn.model, drawn.other) != (receipt.model, receipt.other):
        return Checked(Outcome.NO_MODEL, claim)
    if original and drawn.longest_copy is None:
        return Checked(Outcome.NO_CORPUS, claim, model)
    if drawn != receipt:
        # No text of the bot has such options: they were brought within its bounds, or left out.
        return Checked(Outcome.NO, claim, model)
    checked = await asyncio.to_thread(_compared, claim, model, text, settings.hidden_words)
    if checked.outcome is not Outcome.YES and original and None in (corpus, others if other else corpus):
        return Checked(Outcome.NO_CORPUS, claim, model)  # one of two corpora was deleted since then
    return checked


def _path(corpus: Corpus | None) -> Path | None:
    return None if corpus is None or corpus.text_deleted_at is not None else Path(corpus.path)


def _named(
    receipt: Receipt, models: Sequence[TextModel], storage: Storage
) -> tuple[TextModel, TextModel | None] | None:
    """The model of that fingerprint, and the second one of a blend; None if the server lacks one of them."""
    found: dict[str, TextModel] = {}
    wanted = {receipt.model, receipt.other} - {""}
    for model in models:
        if len(found) == len(wanted):
            break
        try:
            with storage.lease(model.bundle_path) as bundle:
                digits = claimed_fingerprint(bundle)[:MODEL_DIGITS]
                if digits in wanted:
                    found.setdefault(digits, model)
        except StorageError:
            raise SamplerUnavailable(
                _("The files of this model cannot be reached at this moment. Please try again later.")
            ) from None
        except (BundleError, FileNotFoundError, Damaged):
            continue
    if len(found) < len(wanted):
        return None
    return found[receipt.model], found.get(receipt.other)


def _read(code: str) -> Receipt | None:
    """What the sampler, which has read every file of the bundle, says of the text that it drew."""
    try:
        return Receipt.from_code(code)
    except SettingsError:
        return None


def _seed(claim: Claim, words: str) -> str | None:
    """The seed that a claimed text begins with; a hidden word in it is one of the server's list."""
    text, receipt = "".join(claim.parts), claim.receipt
    seed = seed_in(text, receipt)
    if seed is not None or hidden_words.HIDDEN not in text[: receipt.seed_characters]:
        return seed
    for line in words.split("\n"):
        entry = line.strip()
        for form in dict.fromkeys((entry, entry.lower(), entry.upper(), entry.capitalize(), entry.title())):
            # No symbols are tried here, only the word: the list may be long.
            shown = text.replace(hidden_words.HIDDEN, form, 1)[: receipt.seed_characters]
            if entry and check_of(shown) == receipt.seed_check:
                return shown
    return None


def _compared(claim: Claim, model: str, text: SampledText, words: str) -> Checked:
    written = "".join(hidden_words.hide_in([text.seed, text.text], words))
    parts = hidden_words.hide_in(claim.parts, words)
    if _fit(written, parts, claim):
        return Checked(Outcome.YES, claim, model, written)
    if claim.cut:
        written = written[: sum(map(len, parts))]
    # A message loses white space at its ends.
    written, found = written.strip(), "".join(parts).strip()
    told = changes(written, found) if len(found) <= len(written) + _LONGER else None
    if told is None:
        return Checked(Outcome.NO, claim, model)
    return Checked(Outcome.CHANGED if told else Outcome.YES, claim, model, written, tuple(told))


def _fit(written: str, parts: Sequence[str], claim: Claim) -> bool:
    """Whether the parts are the text, but for white space that Discord drops at their ends."""
    for part in parts:
        written, part = written.lstrip(), part.strip()
        if not written.startswith(part):
            return False
        written = written[len(part) :]
    return claim.cut or not written.strip()
