"""Copies the pages to where the site is built from, so that each link leads to a page of the site.

The pages are written for people who read them in the repository: they link to files of it, and their diagrams
are Mermaid's. The site needs neither the repository nor another host. So a file that a page links to
becomes a page, a diagram becomes its picture, and a picture of another host is left out.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

PROJECT_PAGES = {
    "README.md": "project/readme.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "PRIVACY.md": "explanations/privacy.md",
    "CHANGELOG.md": "project/changelog.md",
    "CODE_OF_CONDUCT.md": "project/code-of-conduct.md",
    "benchmarks/README.md": "project/benchmarks.md",
}
"""Pages that lie elsewhere in the repository → where they are in the site."""

PICTURES = (".png", ".svg", ".gif")
SHOWN_BYTES = 60_000
CODE = re.compile(r"^( *)(`{3,})(.*?)^\1\2`*\s*?$", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
LABEL = re.compile(r"[\[(]+\"?([^\[\]()\"]+)\"?[\])]+")


class StagingError(Exception):
    """A page cannot be shown in the site; the text says which one and why."""


def stage(root: Path, target: Path) -> None:
    """Copy every page, and every file that a page links to.

    Args:
        root: the repository.
        target: folder of the pages; what lies there stays.

    Raises:
        StagingError: a link leads nowhere.
    """
    docs = root / "docs"
    for path in sorted(docs.rglob("*")):
        if path.suffix in (*PICTURES, ".js"):
            _copy(path, target / path.relative_to(docs))
    linked: set[Path] = set()
    pages = {path: target / path.relative_to(docs) for path in sorted(docs.rglob("*.md"))}
    pages |= {root / name: target / page for name, page in PROJECT_PAGES.items()}
    for source, page in pages.items():
        text, found = staged(source.read_text(encoding="utf-8"), source, page, root, target)
        linked |= found
        _write(page, text)
    for path in sorted(linked):
        page = target / _place(path, root)
        if path.suffix in PICTURES:
            _copy(path, page)
        elif not page.exists():
            _write(page, _listing(path, root, target) if path.is_dir() else _file(path, root))


def staged(text: str, source: Path, page: Path, root: Path, target: Path) -> tuple[str, set[Path]]:
    """Return a page as the site shows it, and the files outside `docs` that it links to.

    Args:
        text: the page as it is in the repository.
        source: its file.
        page: its place in the site.
        root: the repository.
        target: folder of the site's pages.

    Raises:
        StagingError: a link leads nowhere.
    """
    linked: set[Path] = set()

    def follow(match: re.Match[str]) -> str:
        picture, label, address = match.groups()
        if re.match(r"[a-z]+:", address):
            return "" if picture else match[0]
        label = LINK.sub(follow, label)
        name, _, anchor = address.partition("#")
        if not name:
            return f"{picture}[{label}]({address})"
        path = Path(os.path.normpath(source.parent / name))
        if not path.exists() or not path.is_relative_to(root):
            # The reference is made while the site is built, so it lies in no folder of the repository.
            if path.is_relative_to(root / "docs" / "reference"):
                return match[0]
            raise StagingError(f"{source.relative_to(root)} links to {address}, which is not there")
        place = target / _place(path, root)
        if not path.is_relative_to(root / "docs") and str(path.relative_to(root)) not in PROJECT_PAGES:
            linked.add(path)
        address = os.path.relpath(place, page.parent) + (f"#{anchor}" if anchor else "")
        return f"{picture}[{label}]({address})"

    def draw(match: re.Match[str]) -> str:
        if match[3].partition("\n")[0].strip() != "mermaid":
            return match[0]
        return _diagram(match[3].partition("\n")[2], root, page, target)

    pieces, end = [], 0
    for match in CODE.finditer(text):
        pieces += [_outside_code(text[end : match.start()], follow), draw(match)]
        end = match.end()
    return "".join([*pieces, _outside_code(text[end:], follow)]), linked


def diagram_name(source: str) -> str:
    """Return the name of a diagram's picture, which changes with the diagram."""
    return f"diagram-{hashlib.sha256(source.encode()).hexdigest()[:8]}.svg"


def _outside_code(text: str, follow: Callable[[re.Match[str]], str]) -> str:
    kept: list[str] = []

    def hide(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\0{len(kept) - 1}\0"

    followed = LINK.sub(follow, INLINE_CODE.sub(hide, text))
    return re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], followed)


def _diagram(source: str, root: Path, page: Path, target: Path) -> str:
    name = diagram_name(source)
    if not (root / "docs" / "pictures" / name).exists():
        return f"```text\n{source}```"
    labels = dict.fromkeys(re.sub(r"<br>|\s+", " ", label).strip() for label in LABEL.findall(source))
    address = os.path.relpath(target / "pictures" / name, page.parent)
    return f"![Diagram of these parts and what goes between them: {'; '.join(labels)}.]({address})"


def _place(path: Path, root: Path) -> Path:
    """Where in the site a file of the repository is."""
    name = path.relative_to(root)
    if str(name) in PROJECT_PAGES:
        return Path(PROJECT_PAGES[str(name)])
    if name.parts[0] == "docs":
        return Path(*name.parts[1:])
    if path.is_dir() and str(name / "README.md") in PROJECT_PAGES:
        return Path(PROJECT_PAGES[str(name / "README.md")])
    if path.suffix in PICTURES:
        return Path("files") / name
    # A name with a dot first would be hidden from the site generator.
    shown = Path(*(part.replace(".", "-").strip("-") for part in name.parts))
    return Path("files") / shown / "index.md" if path.is_dir() else Path("files") / f"{shown}.md"


def _file(path: Path, root: Path) -> str:
    text = path.read_text(encoding="utf-8")
    fence = "`" * 4
    kind = path.suffix.lstrip(".") if path.suffix in (".yaml", ".json", ".toml", ".py") else "text"
    return f"{_head(path, root)}{fence}{kind}\n{text}\n{fence}\n"


def _listing(path: Path, root: Path, target: Path) -> str:
    here = target / _place(path, root)
    lines = []
    for entry in sorted(path.iterdir()):
        if not entry.name.startswith(("__", "_")):
            small = entry.is_file() and entry.suffix not in (".py", ".c", ".h") and _is_short_text(entry)
            if small:
                page = here.parent / f"{entry.name.replace('.', '-').strip('-')}.md"
                _write(page, _file(entry, root))
            lines.append(f"- [`{entry.name}`]({page.name})" if small else f"- `{entry.name}`")
    return f"{_head(path, root)}{chr(10).join(lines)}\n"


def _is_short_text(path: Path) -> bool:
    data = path.read_bytes()
    return len(data) < SHOWN_BYTES and b"\0" not in data


def _head(path: Path, root: Path) -> str:
    kind = "Folder" if path.is_dir() else "File"
    return f"---\nsearch:\n  exclude: true\n---\n\n# {kind} `{path.relative_to(root)}`\n\n"


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
