"""Broken files of others: one line each, quickly, in little memory, and nothing is left of them.

A child process reads the tiny base with bytes changed, cut out or repeated, in each format.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.memory import peak_bytes
from tests.support.textgen import base_sources
from textgen.errors import BundleError
from textgen.pretrained import store
from textgen.pretrained.sources import adding

MUTATIONS = 100
LONGEST_S = 1.0
MOST_BYTES = 250 << 20


def _changed(data: bytes, draw: random.Random) -> bytes:
    """One to eight bytes, a number, or a stretch of a file are replaced, removed or repeated."""
    mutated = bytearray(data)
    # The header is where a byte does most.
    place = draw.randrange(min(len(data), 4096) if draw.random() < 0.7 else len(data))
    kind = draw.randrange(6)
    if kind == 0:
        for _ in range(draw.randint(1, 8)):
            mutated[min(place + draw.randrange(64), len(data) - 1)] = draw.randrange(256)
    elif kind == 1:
        mutated[place : place + 8] = draw.choice((2**64 - 1, 2**63, 2**32, 0)).to_bytes(8, "little")
    elif kind == 2:
        del mutated[place:]
    elif kind == 3:
        del mutated[place : place + draw.randint(1, 200)]
    elif kind == 4:
        mutated[place:place] = mutated[place : place + draw.randint(1, 2000)]
    else:
        mutated[place : place + 4] = draw.choice((b"[[[[", b"\xff\xff\xff\xff", b"9999", b"null"))
    return bytes(mutated)


def _gguf(folder: Path) -> tuple[list[Path], str]:
    base_sources.write_gguf(folder / "tiny.gguf", kind="Q8_0")
    return [folder / "tiny.gguf"], str(folder / "tiny.gguf")


def _folder(folder: Path) -> tuple[list[Path], str]:
    base_sources.write_folder(folder / "tiny", kind="BF16", files=2)
    return sorted((folder / "tiny").iterdir()), str(folder / "tiny")


def _own(folder: Path) -> tuple[list[Path], str]:
    base_sources.write_gguf(folder / "own.gguf")
    adding.add(str(folder / "own.gguf"), "own")
    return sorted((store.folder() / "own").iterdir()), "own"


def _add(source: str) -> None:
    adding.add(source, "mutated")
    store.remove("mutated")


_KINDS: tuple[tuple[Callable[[Path], tuple[list[Path], str]], Callable[[str], object]], ...] = (
    (_gguf, _add),
    (_folder, _add),
    (_own, store.find),
)


def run(folder: Path, mutations: int, random_seed: int) -> str:
    """Read mutated files in this process; return a line with what came of them."""
    draw = random.Random(random_seed)
    lines: list[str] = []
    slowest = 0.0
    for make, read in _KINDS:
        place = folder / make.__name__
        place.mkdir()
        files, source = make(place)
        for _ in range(mutations // len(_KINDS) + 1):
            file = draw.choice(files)
            data = file.read_bytes()
            file.write_bytes(_changed(data, draw))
            begun = time.process_time()
            try:
                read(source)
            except BundleError as error:
                lines.append(str(error))
            slowest = max(slowest, time.process_time() - begun)
            file.write_bytes(data)
    left = [path.name for path in store.folder().iterdir() if path.name != "own"]
    peak = peak_bytes()
    several = [line for line in lines if "\n" in line]
    return f"{len(lines)} {slowest:.3f} {peak} {left} {several}"


def test_broken_files_are_refused_quickly_and_in_little_memory(tmp_path: Path, bases: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, str(tmp_path), str(MUTATIONS), "1"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert child.returncode == 0, child.stderr
    refused, slowest, peak, left = child.stdout.split(maxsplit=3)
    # Where one weight of thousands has changed, the base is still one.
    assert int(refused) > MUTATIONS // 2
    assert float(slowest) < LONGEST_S
    assert int(peak) < MOST_BYTES
    assert left.strip() == "[] []"


_CHILD = """
import sys
from pathlib import Path
from tests.textgen.pretrained.test_mutated_sources import run
print(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
"""
