"""Writes what the commands of a page print into the page: `python -m docs.make_outputs [PAGE …]`.

A block named `text` or `sample` directly below a command or an example is its output. A page that names its
machine has a line between two marks for it.
"""

from __future__ import annotations

import datetime
import os
import platform
import re
import sys
import tempfile
from pathlib import Path

import textgen
from tests.support.documents import ROOT, blocks, run_page

MADE = re.compile(r"(<!-- made: begin -->\n).*?(<!-- made: end -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return a page with the output of its blocks.

    Args:
        page: its text.
    """
    with tempfile.TemporaryDirectory() as folder:
        printed = {block.start: text for block, text in run_page(page, Path(folder), quick=False)}
    for block in reversed(blocks(page)):
        if block.output is not None and block.start in printed:
            begin = block.output.start
            text = "".join(f"{line.rstrip()}\n" for line in printed[block.start].strip("\n").splitlines())
            page = page[:begin] + text + page[begin + len(block.output.text) :]
    return MADE.sub(lambda match: f"{match[1]}{_machine()}\n{match[2]}", page)


def _machine() -> str:
    about = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", about.read_text()) if about.exists() else []
    processor = names[0] if names else platform.machine()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return (
        f"*The outputs below were made by `python -m docs.make_outputs` on {today}: "
        f"textgen {textgen.__version__}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores of {processor}, which other work used too. "
        "Your figures differ a little.*"
    )


if __name__ == "__main__":
    pages = [Path(name) for name in sys.argv[1:]] or sorted((ROOT / "docs").rglob("*.md"))
    for path in pages:
        text = path.read_text(encoding="utf-8")
        if any(block.output for block in blocks(text)):
            path.write_text(filled(text), encoding="utf-8")
            print(path)
