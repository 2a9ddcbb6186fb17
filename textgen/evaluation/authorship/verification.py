"""Did a model write this text? The text is drawn again from its receipt and compared.

A receipt that somebody made up gives another text, and a changed bundle another fingerprint, so neither a
code nor a manifest is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from textgen.errors import BundleError, SettingsError
from textgen.files.fingerprint import claimed_fingerprint
from textgen.model import TextModel
from textgen.receipts.changes import Change, changes
from textgen.receipts.code import MODEL_DIGITS, Receipt, check_of
from textgen.receipts.seed_in_text import seed_in
from textgen.sampling import Corpora, SamplingSettings
from textgen.sampling.sample import Sample

# What a receipt holds as the settings have it, under the same name.
_IN_BOTH = (
    *("length", "temperature", "top_k", "top_p", "min_p", "typical_p"),
    *("repetition_penalty", "no_repeat_ngram", "stop", "novel"),
)


class Verdict(Enum):
    """The answer to "did you write this?"."""

    YES = "yes"
    CHANGED = "changed"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer, and what it rests on.

    Attributes:
        verdict: yes, to the letter; yes, but changed; or no.
        changes: every place where the text differs from what the model wrote; none for "no".
        written: what the model wrote, its seed included; empty where nothing could be drawn.
        seed_lost: more than one character of the seed was changed, so nothing could be drawn.
        only_ends: the texts differ in white space at their ends alone, which copying drops; the verdict is
            "yes" then.
    """

    verdict: Verdict
    changes: tuple[Change, ...] = ()
    written: str = ""
    seed_lost: bool = False
    only_ends: bool = False


def code_of_sample(
    model: TextModel,
    settings: SamplingSettings,
    sample: Sample,
    *,
    seeded: bool,
    longest_copy: int | None = None,
) -> str | None:
    """Return the code of a sample, or None if no code can draw it again.

    No code can repeat what the clock ended, and none can hold long stop sequences.

    Args:
        model: the model that wrote it.
        settings: those it was asked for with; its random seed is the sample's own.
        sample: the sample.
        seeded: a seed was given; else the model chose one.
        longest_copy: see `Receipt.longest_copy`.
    """
    if sample.ended not in ("length", "stop") or not model.fingerprint:
        return None
    named, other, mix = _digits_of(model)
    receipt = Receipt(
        model=named,
        random_seed=sample.random_seed,
        seed_characters=len(sample.seed) if seeded else None,
        seed_check=check_of(sample.seed) if seeded else 0,
        repetition_window=None if settings.repetition_penalty is None else settings.repetition_window,
        replaced=settings.unseen == "replace",
        other=other,
        mix=mix,
        longest_copy=longest_copy,
        **{name: getattr(settings, name) for name in _IN_BOTH},
    )
    try:
        return receipt.to_code()
    except SettingsError:
        return None


def settings_of(receipt: Receipt) -> SamplingSettings:
    """Return the settings that draw a receipt's text again.

    Raises:
        SettingsError: a value lies outside its bounds, so no model wrote a text with it.
    """
    window = () if receipt.repetition_window is None else ("repetition_window",)
    return SamplingSettings(
        random_seed=receipt.random_seed,
        unseen="replace" if receipt.replaced else "drop",
        **{name: getattr(receipt, name) for name in (*_IN_BOTH, *window)},
    )


def find_bundle(model: str, bundles: Sequence[Path]) -> Path:
    """Return the bundle that a receipt names.

    Args:
        model: the beginning of a fingerprint, as in `Receipt.model` and `Receipt.other`.
        bundles: folders of bundles.

    Raises:
        BundleError: none of them is it, or one is no bundle.
    """
    for bundle in bundles:
        if claimed_fingerprint(bundle).startswith(model):
            return bundle
    looked = "this model" if len(bundles) == 1 else f"none of these {len(bundles)} models"
    raise BundleError(
        f"{looked} is {'not ' if len(bundles) == 1 else ''}the one that the code names ({model}): "
        "that one is gone, was trained again, or is another"
    )


def verify(text: str, receipt: Receipt, model: TextModel, corpora: Corpora = ()) -> Verification:
    """Draw a text again and say whether a model wrote it.

    Args:
        text: the text, its seed included.
        receipt: what its code says.
        model: the model that the receipt names.
        corpora: what the text was kept from repeating, if `Receipt.longest_copy` says so.

    Raises:
        BundleError: the model is another one.
        SettingsError: no model wrote a text with these options, or its corpus is needed.
    """
    named = receipt.model, receipt.other, receipt.mix
    given = _digits_of(model)
    if given != named:
        raise BundleError(f"the code names {_in_words(*named)}, and this one is {_in_words(*given)}")
    settings = settings_of(receipt)
    if receipt.longest_copy is not None and not corpora:
        raise SettingsError(
            "the text was kept from repeating its corpus, so it can be drawn again only with that corpus",
            advice=["give it as --corpus FILE"],
        )
    text = text.replace("\r\n", "\n")
    seed = seed_in(text, receipt, symbols="".join(model.manifest.seeds))
    if seed is None:
        return Verification(Verdict.NO, seed_lost=True)
    sample = model.sample(seed, settings, () if receipt.longest_copy is None else corpora)
    return compare(sample.seed + sample.text, text)


def _digits_of(model: TextModel) -> tuple[str, str, float]:
    """Return a receipt's `model`, `other` and `mix`."""
    other = model.parts[1].fingerprint if model.parts else ""
    return model.fingerprint[:MODEL_DIGITS], other[:MODEL_DIGITS], model.mix


def _in_words(model: str, other: str, mix: float) -> str:
    return f"the blend of {model} with {other} (mix {mix:g})" if other else f"the model {model}"


def compare(written: str, found: str) -> Verification:
    """Compare a text with what the model wrote, without drawing anything."""
    differences = changes(written, found)
    if differences is None:
        return Verification(Verdict.NO, written=written)
    if not differences:
        return Verification(Verdict.YES, written=written)
    if written.strip() == found.strip():
        return Verification(Verdict.YES, tuple(differences), written, only_ends=True)
    return Verification(Verdict.CHANGED, tuple(differences), written)
