"""2,000 hostile bundles through the compiled step, built with AddressSanitizer and UBSan: no report."""

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

MINUTES = 2.0
NEEDS = (needs.compiler,)
_SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g")


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Build, and run the mutations in a process with the sanitizers' libraries."""
    count, seed = (40, 1) if short else (2_000, 2)
    built = folder / "built"
    built.mkdir()
    target = built / f"_linear{EXTENSION_SUFFIXES[0]}"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extensions = project["tool"]["setuptools"]["ext-modules"]
    (extension,) = (each for each in extensions if each["name"].endswith("._linear"))
    headers = [f"-I{folder}" for folder in extension["include-dirs"]]
    flags = [*headers, *extension["extra-compile-args"], *_SANITIZE, "-shared", "-fPIC", "-o", str(target)]
    # -O1 keeps the reports' places; what is read and written does not depend on it.
    subprocess.run(["gcc", *extension["sources"], *flags, "-O1", "-lm"], cwd=ROOT, check=True)
    libraries = [
        subprocess.run(
            ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.faults.tools.mutated_bundles",
            str(folder),
            str(built),
            f"{count}",
            f"{seed}",
        ],
        cwd=ROOT,
        env=os.environ
        | {
            "LD_PRELOAD": " ".join(libraries),
            "ASAN_OPTIONS": "detect_leaks=0",
            "PYTHONMALLOC": "malloc",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stderr[-3000:])
    yield Figure(f"{count:,} hostile bundles: reports of the sanitizers", done.returncode != 0, "", "≤ 0")
    if done.returncode == 0:
        told = json.loads(done.stdout.splitlines()[-1])
        print(told["others"])
        yield Figure("of them refused", told["refused"], "")
        yield Figure("of them wrote text", told["written"], "", "≥ 1")
        yield Figure("of them another error than a refusal", sum(told["others"].values()), "", "≤ 0")
