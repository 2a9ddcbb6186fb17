"""Run `make` as a person at a shell does, also where `make` itself has started the tests."""

import os
import subprocess
from pathlib import Path

# An outer make hands these on. They change what an inner one prints ("Leaving directory ...").
INHERITED = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"}


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `make` with these arguments in the folder.

    Args:
        folder: where the Makefile stands.
        arguments: targets, variables and flags.
    """
    environment = {name: value for name, value in os.environ.items() if name not in INHERITED}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
