"""The bundle of a fine-tuned base: its weights have 16 bits, and its tokenizer is the base's."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.network.cells.cell import Weights
from textgen.pretrained import store
from textgen.pretrained.base import Base
from textgen.pretrained.tuned.spec import MIXTURE, TunedSpec

_SHA256 = "base_sha256"
_SHOWN_DIGITS = 12


def halved(weights: Weights) -> dict[str, npt.NDArray[np.float16]]:
    """Return weights in 16 bits, as the file holds them."""
    return {name: array.astype(np.float16) for name, array in weights.items()}


def rounded(weights: Weights) -> dict[str, npt.NDArray[np.float32]]:
    """Return weights as they will be after writing and reading."""
    return {name: array.astype(np.float32) for name, array in halved(weights).items()}


def check_mixture(weights: Weights, bundle: str) -> None:
    """Refuse weights of a mixture that are no shares.

    Raises:
        BundleError: one is not between 0 and 1.
    """
    mixture = weights[MIXTURE]
    if not ((mixture > 0) & (mixture < 1)).all():
        raise BundleError(f"{bundle}: the weights {MIXTURE} are not all between 0 and 1")


def tokenizer_of(base_sha256: str) -> dict[str, Any]:
    """Return the content of ``tokenizer.json``: it names the base, whose tokenizer it is."""
    return {_SHA256: base_sha256}


def base_of(spec: TunedSpec, tokenizer: Any, bundle: str) -> Base:
    """Return the base of a bundle from the bases of this host.

    Args:
        spec: the bundle's spec.
        tokenizer: the parsed content of its ``tokenizer.json``.
        bundle: its name for messages.

    Raises:
        BundleError: the base is not on this host, is damaged, or is not of the sizes that the spec names.
    """
    if tokenizer != tokenizer_of(spec.base_sha256):
        raise BundleError(f"{bundle}: its tokenizer.json and spec.json name different bases")
    entries = store.entries()
    if all(entry.sha256 != spec.base_sha256 for entry in entries):
        same = [entry.name for entry in entries if entry.name == spec.base]
        hint = f"; {same[0]} here is another version of it" if same else ""
        raise BundleError(
            f"{bundle} needs the base {spec.base} (SHA-256 {spec.base_sha256[:_SHOWN_DIGITS]}…), which "
            f"is not on this host{hint}: `textgen base add SOURCE` adds it"
        )
    base = store.find(spec.base_sha256)
    if base.spec != spec.network:
        raise BundleError(f"{bundle}: its spec.json gives its base other sizes than the base has")
    return base
