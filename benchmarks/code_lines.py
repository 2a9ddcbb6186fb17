"""How many lines of code the packages have, and how many a change has saved.

``python -m benchmarks.code_lines FROM TO [STOOD_AT]`` prints the lines of Python at two revisions: those
with code, and all, which include docstrings, comments and blank lines. With STOOD_AT it also prints by how
much the change from FROM to TO has shortened the code that stood at this earlier revision: a removed line
belongs to the revision that wrote it (``git blame``), and an added line to those that it replaces.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

PACKAGES = ("bot", "textgen", "models", "migrations")
_NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_BLAMED = re.compile(r"^([0-9a-f]{40}) \d+ (\d+)", re.MULTILINE)


@dataclass
class Saved:
    """What a change took away and added, in lines with code.

    Attributes:
        earlier: removed lines that stood at the earlier revision.
        later: removed lines that were written after it.
        instead: added lines that stand in place of earlier ones: the same share of those of a hunk, or of a
            file, or of all, as of the removed lines there.
        added: all added lines.
    """

    earlier: int = 0
    later: int = 0
    instead: float = 0.0
    added: int = 0


def main() -> None:
    """Print the table."""
    first, last, *stood_at = sys.argv[1:]
    table = Table(title=f"lines of Python in {', '.join(PACKAGES)}")
    for column in ("revision", "files", "code", "all"):
        table.add_column(column, justify="right")
    for revision in (first, last, *stood_at):
        sources = [_source(revision, path) for path in _paths(revision)]
        code = sum(len(code_lines(source)) for source in sources)
        every = sum(source.count("\n") for source in sources)
        table.add_row(revision, f"{len(sources):,}", f"{code:,}", f"{every:,}")
    Console(width=110).print(table)
    for revision in stood_at:
        saved = _saved(first, last, revision)
        print(
            f"{first} to {last}: {saved.earlier + saved.later:,} lines of code removed, "
            f"{saved.added:,} added.\n"
            f"Of these {saved.earlier:,} stood at {revision}, and {saved.instead:,.0f} replace such: "
            f"{saved.earlier - saved.instead:,.0f} fewer."
        )


def code_lines(source: str) -> set[int]:
    """Return the numbers of the lines with code: without blank lines, comments and docstrings."""
    read = tokenize.generate_tokens(io.StringIO(source).readline)
    code = {
        line
        for token in read
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            code -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return code


def _saved(first: str, last: str, stood_at: str) -> Saved:
    earlier = set(_git("rev-list", stood_at).split())
    saved = Saved()
    beside = 0  # in files of which nothing was removed
    for before, after in _changed(first, last):
        old = code_lines(_source(first, before)) if before else set()
        new = code_lines(_source(last, after)) if after else set()
        hunks = [
            (old & removed, new & added) for removed, added in _hunks(first, last, {before, after} - {""})
        ]
        written = dict(_blamed(first, before)) if before else {}
        removed_here = set().union(*(removed for removed, _ in hunks))
        for removed, added in hunks:
            stood = sum(written.get(line) in earlier for line in removed)
            saved.earlier += stood
            saved.later += len(removed) - stood
            saved.added += len(added)
            if whose := removed or removed_here:
                share = sum(written.get(line) in earlier for line in whose) / len(whose)
                saved.instead += len(added) * share
            else:
                beside += len(added)
    saved.instead += beside * saved.earlier / max(1, saved.earlier + saved.later)
    return saved


def _changed(first: str, last: str) -> Iterator[tuple[str, str]]:
    """Yield each changed file as it was called before and after; "" where it was not there."""
    for line in _git("diff", "--name-status", "-M", first, last, "--", *PACKAGES).splitlines():
        state, *paths = line.split("\t")
        if paths[-1].endswith(".py"):
            yield "" if state == "A" else paths[0], "" if state == "D" else paths[-1]


def _hunks(first: str, last: str, paths: set[str]) -> Iterator[tuple[set[int], set[int]]]:
    """Yield the numbers of the removed and of the added lines of each hunk."""
    for found in _HUNK.finditer(_git("diff", "-U0", "-M", first, last, "--", *paths)):
        start, length, new_start, new_length = (1 if each is None else int(each) for each in found.groups())
        yield set(range(start, start + length)), set(range(new_start, new_start + new_length))


def _blamed(revision: str, path: str) -> Iterator[tuple[int, str]]:
    """Yield each line's number, and the commit that wrote it, wherever it stood then."""
    for found in _BLAMED.finditer(_git("blame", "-w", "-M", "-C", "--porcelain", revision, "--", path)):
        yield int(found[2]), found[1]


def _paths(revision: str) -> list[str]:
    listed = _git("ls-tree", "-r", "--name-only", revision, "--", *PACKAGES).splitlines()
    return [path for path in listed if path.endswith(".py")]


def _source(revision: str, path: str) -> str:
    return _git("show", f"{revision}:{path}")


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
