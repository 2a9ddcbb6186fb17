"""What a request needs to be loaded: its model, or both models of a blend, each with its corpus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from textgen.argument_checks import check_number
from textgen.blending import DEFAULT_MIX
from textgen.errors import SettingsError
from textgen.model import TextModel


class Source(NamedTuple):
    """A model that a request needs.

    Attributes:
        bundle: the bundle's path.
        corpus: path of the corpus that its texts are compared with; None for no comparison.
    """

    bundle: str
    corpus: str | None


def check_blend(other: Any) -> None:
    """Check a request's ``with``.

    Raises:
        SettingsError: it names no second model, or its share lies outside its bounds.
    """
    if not isinstance(other, dict) or not isinstance(other.get("bundle"), str):
        raise SettingsError("the request's 'with' needs 'bundle' as str")
    if not isinstance(other.get("corpus"), str | None):
        raise SettingsError("the request's 'with' needs 'corpus' as str")
    check_number("mix", mix_of(other), 0.0, 1.0)


def mix_of(other: Mapping[str, Any]) -> float:
    """Return the share of the second model in a request's ``with``."""
    mix: float = other.get("mix", DEFAULT_MIX)
    return mix


def sources_of(asked: Mapping[str, Any]) -> list[Source]:
    """Return the one or two models of a request."""
    sources = [Source(asked["bundle"], asked.get("corpus"))]
    if (other := asked.get("with")) is not None:
        sources.append(Source(other["bundle"], other.get("corpus")))
    return sources


def key_of(asked: Mapping[str, Any]) -> str:
    """Return what tells a request's model from all others; without a blend that is its bundle's path."""
    if (other := asked.get("with")) is None:
        return str(asked["bundle"])
    return "\0".join((asked["bundle"], other["bundle"], repr(float(mix_of(other)))))


def memory_of(models: Iterable[TextModel]) -> int:
    """Return the bytes of memory of models, some of which may be blends of others."""
    held = {id(part): part.memory for model in models for part in model.parts or (model,)}
    own = sum(model.memory - sum(part.memory for part in model.parts) for model in models if model.parts)
    return sum(held.values()) + own
