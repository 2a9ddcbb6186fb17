"""2,000 hostile bundles and 500 odd bases in compiled code with AddressSanitizer and UBSan: no report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from benchmarks.figures import Figure
from tests.faults.harness import ROOT
from tests.faults.tools import needs

MINUTES = 3.0
NEEDS = (needs.compiler,)
_SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g")
_WORDS = {"ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc", "UBSAN_OPTIONS": "print_stacktrace=1"}


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Build the libraries, and run each in a process with those of the sanitizers."""
    bundles, bases = (40, 12) if short else (2_000, 500)
    # What is read and written does not depend on it: -O1 runs quicker, and -O0 is built in half the time.
    level = "-O0" if short else "-O1"
    yield from _figures(folder, ("_linear", "_mixing"), level, "mutated_bundles", "hostile bundles", bundles)
    yield from _figures(folder, ("_llama",), level, "hostile_bases", "odd bases", bases)


def _figures(
    folder: Path, libraries: tuple[str, ...], level: str, tool: str, what: str, count: int
) -> Iterator[Figure]:
    place = folder / tool
    built = place / "built"
    built.mkdir(parents=True)
    for library in libraries:
        _build(library, level, built / f"{library}{EXTENSION_SUFFIXES[0]}")
    done = subprocess.run(
        [sys.executable, "-m", f"tests.faults.tools.{tool}", str(place), str(built), f"{count}", "2"],
        cwd=ROOT,
        env=os.environ | _WORDS | {"LD_PRELOAD": " ".join(map(_library, ("libasan.so", "libubsan.so")))},
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stderr[-3000:])
    yield Figure(f"{count:,} {what}: reports of the sanitizers", done.returncode != 0, "", "≤ 0")
    if done.returncode == 0:
        told = json.loads(done.stdout.splitlines()[-1])
        print(told["others"])
        yield Figure("of them refused", told["refused"], "")
        yield Figure("of them wrote text", told["written"], "", "≥ 1")
        yield Figure("of them another error than a refusal", sum(told["others"].values()), "", "≤ 0")


def _build(library: str, level: str, target: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extensions = project["tool"]["setuptools"]["ext-modules"]
    (extension,) = (each for each in extensions if each["name"].endswith(f".{library}"))
    headers = [f"-I{folder}" for folder in extension["include-dirs"]]
    flags = [*headers, *extension["extra-compile-args"], *_SANITIZE, "-shared", "-fPIC", "-o", str(target)]
    subprocess.run(["gcc", *extension["sources"], *flags, level, "-lm"], cwd=ROOT, check=True)


def _library(name: str) -> str:
    asked = ["gcc", f"-print-file-name={name}"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
