"""The commands and examples of README and of the pages in docs/, run as they are written there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 15
"""What stands in for the minutes of a training."""

BLOCK = re.compile(
    r"(?:^ *\*Our tests check only the syntax of this block: (?P<reason>[^*]+)\*\n\n)?"
    r"^(?P<indent> *)```(?P<language>[\w-]+)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
OUTPUT = ("text", "sample")
PATH_SHOWN = "/srv/pastiche"


@dataclass(frozen=True)
class Block:
    """A block of code on a page.

    Attributes:
        language: "sh", "python", …; "text" and "sample" below a block are what it prints.
        text: what stands in it.
        reason: why it can only be checked for its syntax; None for a block that runs.
        output: the block directly below with what it prints, or None.
        start: where its text begins in the page.
    """

    language: str
    text: str
    reason: str | None
    output: Block | None
    start: int

    @property
    def lines(self) -> list[str]:
        """The lines of a shell block that are commands."""
        return [line for line in self.text.splitlines() if line and not line.startswith("#")]


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page, without those that are another one's output."""
    found: list[Block] = []
    ended = -1
    for match in BLOCK.finditer(page):
        text = textwrap.dedent(match["text"])
        block = Block(match["language"], text, match["reason"], None, match.start("text"))
        if found and block.language in OUTPUT and not page[ended : match.start()].strip():
            above = found[-1]
            found[-1] = Block(above.language, above.text, above.reason, block, above.start)
        else:
            found.append(block)
        ended = match.end()
    return found


def quicker(text: str) -> str:
    """Return commands or code whose trainings take seconds."""
    return re.sub(r"(time[_-]limit[ =])\d+", rf"\g<1>{SECONDS}", text)


def run(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line for a shell in a folder.

    Args:
        line: as a page has it.
        folder: where it is run.
        **environment: variables beside those of this process.
    """
    # The programs of the environment that runs this test stand in for those of .venv.
    line = re.sub(r"(?<![\w/])\.venv/bin/", f"{Path(sys.executable).parent}/", line)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line], cwd=folder, env={**os.environ, **environment},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def is_run(line: str) -> bool:
    """Whether a line of a shell block can be run in a folder of its own, without the project's files."""
    return not line.lstrip().startswith(("make ", ".venv/bin/python -m "))


def run_page(page: str, folder: Path, *, quick: bool) -> Iterator[tuple[Block, str]]:
    """Run the blocks of a page one after the other, and yield each with what it printed.

    Args:
        page: its text.
        folder: where the blocks run; a page begins in an empty one.
        quick: whether trainings take seconds.

    Raises:
        AssertionError: a block failed.
    """
    environment = {
        "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "DISCORD_TOKEN": "",
        "PASTICHE_DATA_DIR": str(folder / "var"),
    }  # fmt: skip
    for number, block in enumerate(blocks(page)):
        if block.reason is not None or block.language not in ("sh", "python"):
            continue
        text = quicker(block.text) if quick else block.text
        if block.language == "python":
            (folder / f"example_{number}.py").write_text(text, encoding="utf-8")
            text = f".venv/bin/python example_{number}.py"
        else:
            text = "\n".join(line for line in text.splitlines() if is_run(line))
        done = run(text, folder, **environment)
        assert done.returncode == 0, (block.text, done.stdout[-1000:], done.stderr[-2000:])
        yield block, done.stdout.replace(str(folder), PATH_SHOWN)


def form(output: str) -> list[str]:
    """Return the lines of an output without what differs from machine to machine."""
    # Python quotes a text that has an apostrophe in the other way.
    masked = re.sub(r"'[^'\n]{12,}'|\"[^\"\n]{12,}\"", "'…'", output)
    masked = re.sub(r"chosen: [a-z ]+|on (?:cpu|gpu)\b", "…", masked)
    # A machine that is busy may need the whole of a short limit to compile.
    masked = masked.replace(" before the first step", "")
    masked = re.sub(r"\b(?=[a-f]*\d)[0-9a-f]{12}\b|-?\d[\d,.:%+T-]*|[▁▂▃▄▅▆▇█]+", "#", masked)
    return [" ".join(line.split()) for line in masked.strip().splitlines()]
