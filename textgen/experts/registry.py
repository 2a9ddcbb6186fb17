"""The experts by their names, and their counts in a bundle.

Every network with counts has the n-grams of tokens (`KneserNey`). Beside them it can mix those of `FURTHER`.
"""

from __future__ import annotations

from collections.abc import Sequence

from textgen.errors import BundleError
from textgen.experts.chains.expert import Chained
from textgen.experts.expert import Arrays, Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.long import Long
from textgen.experts.words import Words

FURTHER: dict[str, type[Chained]] = {each.name: each for each in (Words, Long)}


def to_arrays(experts: Sequence[Expert]) -> Arrays:
    """Return the counts of experts as small plain arrays: the n-grams', and the others' as ``name.array``."""
    return {name: array for expert in experts for name, array in expert.to_arrays().items()}


def from_arrays(vocabulary: int, prior: int, further: Sequence[str], arrays: Arrays) -> tuple[Expert, ...]:
    """Return the experts that `to_arrays` described.

    Args:
        vocabulary: number of tokens.
        prior: length of the longest n-grams.
        further: names of the experts beside them.
        arrays: their counts.

    Raises:
        BundleError: the arrays are not those of these experts, or do not fit each other.
    """
    parts: dict[str, Arrays] = {"": {}, **{name: {} for name in further}}
    for name, array in arrays.items():
        owner = name.partition(".")[0] if "." in name else ""
        if owner not in parts:
            raise BundleError(f"the counts hold {name[:40]}, but the network does not mix {owner[:40]}")
        parts[owner][name] = array
    return (
        KneserNey.from_arrays(vocabulary, prior, parts[""]),
        *(FURTHER[name].from_arrays(vocabulary, parts[name]) for name in further),
    )
