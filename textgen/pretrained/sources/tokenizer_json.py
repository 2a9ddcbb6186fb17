"""Hugging Face's tokenizer.json: byte-level, with ways to split texts that we know, or SentencePiece's.

Its expressions are compared with the known ones and never run: one from a stranger could take hours.
"""

from __future__ import annotations

from typing import Any

from textgen.argument_checks import shown
from textgen.errors import BundleError
from textgen.pretrained import sentencepiece
from textgen.pretrained.sources.found import Pieces, check_token, start_of
from textgen.pretrained.tokenizer import MAXIMUM_TOKENS, SPLITS, split_merge

_EXPRESSIONS = {SPLITS[name][1]: name for name in ("llama3", "qwen2")}


def pieces_of(data: Any) -> Pieces:
    """Return what a tokenizer.json describes.

    Raises:
        BundleError: it is no byte-level tokenizer, or splits texts in an unknown way.
    """
    model = data.get("model") if isinstance(data, dict) else None
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE":
        kind = model.get("type") if isinstance(model, dict) else data
        raise BundleError(f"tokenizer.json is of the kind {shown(kind)}; BPE is read")
    normalizer = data.get("normalizer")
    in_words = model.get("byte_fallback") is True
    if in_words and not _puts_marks(normalizer, data.get("pre_tokenizer")):
        raise BundleError(
            f"tokenizer.json changes texts by {shown(normalizer)}; with byte_fallback each space becomes "
            f"{sentencepiece.SPACE}"
        )
    if not in_words and normalizer is not None and _kind(normalizer) != "NFC":
        raise BundleError(f"tokenizer.json changes texts by {shown(_kind(normalizer))}; none or NFC is read")
    vocabulary, merges = model.get("vocab"), model.get("merges")
    if not isinstance(vocabulary, dict) or not isinstance(merges, list):
        raise BundleError("tokenizer.json has no vocabulary or no merges")
    tokens = {_number(number): check_token(letters) for letters, number in vocabulary.items()}
    added = _added(data)
    special = frozenset(added.values())
    return Pieces(
        tokens | {number: check_token(letters) for letters, number in added.items()},
        [split_merge(merge) for merge in merges],
        sentencepiece.SPLIT if in_words else _split(data.get("pre_tokenizer")),
        special,
        start_of(added, _first(data.get("post_processor"), added)),
        whole_first=model.get("ignore_merges") is True,
    )


def _number(value: Any) -> int:
    if type(value) is int and 0 <= value < MAXIMUM_TOKENS:
        return value
    raise BundleError(f"tokenizer.json has a token with the number {shown(value)}")


def _added(data: dict[str, Any]) -> dict[str, int]:
    """Return the added tokens by their names. None of them is ever text here, whether special or not."""
    added = data.get("added_tokens") or []
    if not isinstance(added, list) or not all(isinstance(token, dict) for token in added):
        raise BundleError("tokenizer.json has added tokens that are none")
    return {check_token(token.get("content")): _number(token.get("id")) for token in added}


def _puts_marks(normalizer: Any, step: Any) -> bool:
    """Return whether spaces become SentencePiece's marks, and nothing else becomes something else."""
    mark = sentencepiece.SPACE
    if normalizer is None:
        return bool(_kind(step) == "Metaspace" and step.get("replacement") == mark)
    steps = normalizer.get("normalizers") if _kind(normalizer) == "Sequence" else [normalizer]
    known = (
        {"type": "Prepend", "prepend": mark},
        {"type": "Replace", "pattern": {"String": " "}, "content": mark},
    )
    return step is None and isinstance(steps, list) and known[1] in steps and all(s in known for s in steps)


def _kind(step: Any) -> Any:
    return step.get("type") if isinstance(step, dict) else step


def _split(step: Any) -> str:
    """Return the name of a way to split texts."""
    steps = step.get("pretokenizers") if _kind(step) == "Sequence" else [step]
    if isinstance(steps, list) and steps and all(isinstance(each, dict) for each in steps):
        *before, last = steps
        byte_level = _kind(last) == "ByteLevel" and not last.get("add_prefix_space", True)
        by_itself = last.get("use_regex", True) is True
        kinds = [_kind(each) for each in before]
        if byte_level and by_itself and not kinds:
            return "gpt2"
        if byte_level and by_itself and kinds == ["Digits"] and before[0].get("individual_digits") is True:
            return "smollm"
        if byte_level and not by_itself and kinds == ["Split"] and before[0].get("behavior") == "Isolated":
            pattern = before[0].get("pattern")
            expression = pattern.get("Regex") if isinstance(pattern, dict) else None
            if isinstance(expression, str) and expression in _EXPRESSIONS:
                return _EXPRESSIONS[expression]
    raise BundleError(
        f"tokenizer.json splits texts by {shown(step)}; known are the ways of {', '.join(SPLITS)}"
    )


def _first(processor: Any, added: dict[str, int]) -> int | None:
    """Return the token that a post-processor puts before a text."""
    if _kind(processor) == "Sequence" and isinstance(processor.get("processors"), list):
        found = (_first(each, added) for each in processor["processors"] if _kind(each) != "Sequence")
        return next((token for token in found if token is not None), None)
    single = processor.get("single") if isinstance(processor, dict) else None
    first = single[0] if isinstance(single, list) and single else None
    token = first.get("SpecialToken") if isinstance(first, dict) else None
    name = token.get("id") if isinstance(token, dict) else None
    return added.get(name) if isinstance(name, str) else None
