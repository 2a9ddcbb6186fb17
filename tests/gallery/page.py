"""The gallery's page: pictures side by side, and every text in all languages."""

import html
from collections.abc import Sequence
from pathlib import Path

from babel.messages.pofile import read_po

from bot.i18n import LOCALES
from tests.gallery.pictures import THEMES, WIDTHS, Picture

PAGE = "index.html"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 1rem; color-scheme: light dark; }
figure { display: inline-block; vertical-align: top; margin: 0 1rem 1rem 0; }
img { max-width: 100%; border-radius: 6px; } figcaption { opacity: .7; font-size: .8rem; }
table { border-collapse: collapse; }
td { border-top: 1px solid #8886; padding: .4rem; vertical-align: top; width: 50%; }
"""
SWITCHES = """
const shown = () => {
  const wanted = [...document.querySelectorAll("input:checked")].map((box) => box.value);
  document.querySelectorAll("figure").forEach((figure) => {
    figure.hidden = !wanted.every((each) => figure.classList.contains(each));
  });
};
document.querySelectorAll("input").forEach((box) => box.addEventListener("change", shown));
shown();
"""


def write(folder: Path, pictures: Sequence[Picture]) -> Path:
    """Write the page of the pictures in a folder, and return its path."""
    parts = [f"<!doctype html><html lang=en><meta charset=utf-8><title>Gallery</title><style>{STYLE}</style>"]
    parts.append("<h1>What people see</h1><p>" + _switch("w", [f"w{each}" for each in WIDTHS]))
    parts.append(_switch("t", THEMES) + "</p>")
    kinds = list(dict.fromkeys((each.shown.scene, each.shown.kind) for each in pictures))
    for scene, kind in kinds:
        parts.append(f"<h2>{html.escape(scene)}: {html.escape(kind)}</h2>")
        parts += [_figure(each) for each in pictures if (each.shown.scene, each.shown.kind) == (scene, kind)]
    parts.append("<h1>Every text</h1>" + "".join(map(_table, sorted(LOCALES.glob("*/pastiche.po")))))
    path = folder / PAGE
    path.write_text("\n".join([*parts, f"<script>{SWITCHES}</script></html>"]), encoding="utf-8")
    return path


def _figure(picture: Picture) -> str:
    image = f'<img src="{picture.file}" loading=lazy alt="">'
    caption = f"<figcaption>{picture.language}</figcaption>"
    return f'<figure class="w{picture.width} {picture.theme}">{image}{caption}</figure>'


def _switch(name: str, values: Sequence[str]) -> str:
    checked = {values[0]: " checked"}
    return " ".join(
        f"<label><input type=radio name={name} value={value}{checked.get(value, '')}> {value}</label>"
        for value in values
    )


def _table(path: Path) -> str:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parent.name)
    rows = [
        "<tr>" + "".join(f"<td>{_cell(text)}</td>" for text in (message.id, message.string)) + "</tr>"
        for message in catalogue
        if message.id
    ]
    return f"<h2>{path.parent.name}</h2><table>{''.join(rows)}</table>"


def _cell(text: str | tuple[str, ...]) -> str:
    return "<br>".join(html.escape(each) for each in ([text] if isinstance(text, str) else text))
