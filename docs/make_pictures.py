"""Makes the pictures of the pages: `python -m docs.make_pictures [charts] [screens] [diagrams]`, or all.

Charts show what a model of Shakespeare's tragedies has counted and learned. Screens are taken in Chromium
from the running playground. Diagrams are Mermaid's, drawn by its script, which no package of ours brings:
`npm pack mermaid`, unpack it, and give `--mermaid package/dist/mermaid.min.js`.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
LARGEST_BYTES = 100_000
KINDS = ("charts", "screens", "diagrams")
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```", re.MULTILINE | re.DOTALL)


@click.command()
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS))
@click.option(
    "--seconds", default=60.0, show_default=True, help="Time of the training that the pictures show."
)
@click.option(
    "--mermaid", type=click.Path(exists=True, path_type=Path), help="Mermaid's script, for diagrams."
)
def main(kinds: tuple[str, ...], seconds: float, mermaid: Path | None) -> None:
    """Make all pictures, or those of KINDS."""
    chosen = kinds or tuple(kind for kind in KINDS if kind != "diagrams" or mermaid is not None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if {"charts", "screens"} & set(chosen):
            _train(folder, seconds)
        if "charts" in chosen:
            from docs.pictures_of import charts

            charts.draw(folder / "plays", PICTURES)
        if "screens" in chosen:
            # The playground keeps its data where the bot would.
            os.chdir(folder)
            from docs.pictures_of import screens

            asyncio.run(screens.take(folder / "plays", PICTURES))
        if "diagrams" in chosen:
            if mermaid is None:
                raise click.UsageError(
                    "diagrams need --mermaid FILE (npm pack mermaid; see the script's first lines)"
                )
            from docs.pictures_of import diagrams

            pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
            sources = {
                source for page in pages for source in DIAGRAM.findall(page.read_text(encoding="utf-8"))
            }
            for old in PICTURES.glob("diagram-*.svg"):
                old.unlink()
            for file, drawn in asyncio.run(diagrams.drawn_by(mermaid, sorted(sources))).items():
                (PICTURES / file).write_text(drawn, encoding="utf-8")
    for picture in sorted(PICTURES.iterdir()):
        if picture.stat().st_size > LARGEST_BYTES:
            raise click.ClickException(f"{picture.name} has {picture.stat().st_size:,} bytes")


def _train(folder: Path, seconds: float) -> None:
    for arguments in (
        ["corpus", "shakespeare", str(folder / "plays")],
        ["train", str(folder / "plays"), "--time-limit", str(seconds), "--random-seed", "7"],
        ["inspect", str(folder / "plays" / "model"), "--plot"],
    ):
        subprocess.run([sys.executable, "-m", "textgen", *arguments], check=True)


if __name__ == "__main__":
    main()
