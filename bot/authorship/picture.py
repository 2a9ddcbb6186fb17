"""Draws a text whose words have the colours of the models that they speak for, as a PNG.

Matplotlib draws it, which the bot must not load, so this runs in a child: `python -m bot.authorship.picture`
reads a JSON object on standard input and writes the picture, in Base64, on standard output.

The picture has a background of its own, so it looks the same in every theme. It is as wide as a phone shows
it: a letter is 28 pixels of 640 high.
"""

import base64
import io
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

WIDTH = 640
PANEL = "#2b2d31"
INK = "#f2f3f5"
# Of a model of the ranking, and last of nobody: the colour of a chip, and of the letters on it.
CHIPS = (("#5b45c9", "#ffffff"), ("#f0b232", "#1e1f22"), ("#0b7a6b", "#ffffff"), ("#b3363a", "#ffffff"))
STRONG, WEAK = 0.5, 0.15
"""From this strength on a word stands on a chip, and from this one on it is underlined."""

_DPI = 100
_MARGIN, _LINE, _GAP, _CHIP, _PADDING = 24, 46, 9, 36, 6
_SIZE, _SMALL = 28, 19
_LONGEST_WORD = 26
_FONTS_TRIED = 400
_ENDING = "…"


class NoFont(Exception):
    """No font of this host has the characters."""


def draw(legend: Sequence[Mapping[str, str]], words: Sequence[Mapping[str, Any]], *, cut: bool) -> bytes:
    """Return the picture.

    Args:
        legend: for each of `CHIPS` its ``letter`` and ``name``; one with an empty name is left out.
        words: each with its ``text``, the number of its ``chip``, and its ``strength``.
        cut: whether the text goes on.

    Raises:
        NoFont: many characters cannot be drawn.
    """
    shown = [*(each["name"] for each in legend), *(each["text"] for each in words)]
    page = _Page(_families("".join(shown)))
    for number, each in enumerate(legend):
        if each["name"]:
            page.key(each["letter"], _shortened(each["name"]), CHIPS[number])
    page.feed(1.25)
    for word in words:
        letter = legend[word["chip"]]["letter"]
        page.word(_shortened(word["text"]), letter, CHIPS[word["chip"]], word["strength"])
    if cut:
        page.word(_ENDING, "", CHIPS[0], 0.0)
    figure = Figure(figsize=(WIDTH / _DPI, page.height / _DPI), dpi=_DPI)
    FigureCanvasAgg(figure)
    page.put_on(figure)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", transparent=True)
    return picture.getvalue()


class _Page:
    """Words set in lines; coordinates are pixels from the upper left.

    Matplotlib's begin at the lower left, so artists stand below zero until `put_on` knows the height.
    """

    def __init__(self, families: Sequence[str]) -> None:
        self._families = families
        self._renderer: Any = RendererAgg(WIDTH, 8, _DPI)  # type: ignore[no-untyped-call]
        self._x, self._y = _MARGIN, _MARGIN + _LINE // 2
        self._artists: list[Artist] = []

    @property
    def height(self) -> int:
        return self._y + _LINE // 2 + _MARGIN

    def feed(self, lines: float = 1.0) -> None:
        self._x, self._y = _MARGIN, self._y + round(lines * _LINE)

    def key(self, letter: str, name: str, chip: tuple[str, str]) -> None:
        """A line of the legend part: a chip with its letter, and a name."""
        font = self._font(_SIZE)
        width = round(self._width(letter, font)) + 4 * _PADDING
        if self._x > _MARGIN and self._x + width + _GAP + self._width(name, font) > WIDTH - _MARGIN:
            self.feed()
        self._chip(width, chip[0])
        self._text(self._x + 2 * _PADDING, letter, font, chip[1])
        self._x += width + _GAP
        self._text(self._x, name, font, INK)
        self._x += round(self._width(name, font)) + 3 * _GAP

    def word(self, text: str, letter: str, chip: tuple[str, str], strength: float) -> None:
        """A word of the text."""
        font, small = self._font(_SIZE), self._font(_SMALL)
        width = own = round(self._width(text, font))
        if strength >= STRONG:
            width += round(self._width(letter, small)) + 3
        if self._x > _MARGIN and self._x + width + _PADDING > WIDTH - _MARGIN:
            self.feed()
        if strength >= STRONG:
            self._x -= _PADDING
            self._chip(width + 2 * _PADDING, chip[0])
            self._x += _PADDING
            self._text(self._x + own + 3, letter, small, chip[1], raised=7)
        elif strength >= WEAK:
            self._artists.append(Rectangle((self._x, -self._y - 22), own, 4, color=chip[0]))
        self._text(self._x, text, font, chip[1] if strength >= STRONG else INK)
        self._x += width + _GAP + _PADDING

    def put_on(self, figure: Figure) -> None:
        """Draw the panel, and what stands on it."""
        style = "round,pad=10,rounding_size=14"
        panel = FancyBboxPatch((12, 12 - self.height), WIDTH - 24, self.height - 24, boxstyle=style)
        panel.set(facecolor=PANEL, edgecolor="none")
        from_above = Affine2D().translate(0, self.height)
        for artist in (panel, *self._artists):
            artist.set_transform(from_above)
            figure.add_artist(artist)

    def _chip(self, width: int, colour: str) -> None:
        style = "round,pad=0,rounding_size=8"
        chip = FancyBboxPatch((self._x, -self._y - _CHIP / 2), width, _CHIP, boxstyle=style)
        chip.set(facecolor=colour, edgecolor="none")
        self._artists.append(chip)

    def _text(self, x: int, text: str, font: FontProperties, colour: str, *, raised: int = 0) -> None:
        y = raised - self._y - 10
        self._artists.append(Text(x, y, text, color=colour, fontproperties=font, parse_math=False))

    def _font(self, pixels: int) -> FontProperties:
        return FontProperties(family=list(self._families), size=pixels * 72 / _DPI)

    def _width(self, text: str, font: FontProperties) -> float:
        return float(self._renderer.get_text_width_height_descent(text, font, ismath=False)[0])


def _families(text: str) -> list[str]:
    """Return the names of fonts that together have the characters of a text.

    Raises:
        NoFont: a tenth of the characters is in none of them.
    """
    found = ["DejaVu Sans"]
    lacking = {ord(symbol) for symbol in text if not symbol.isspace()}
    lacking -= _known(font_manager.findfont(found[0]))
    # One font draws a box for each character that no other font has.
    fonts = [entry for entry in font_manager.fontManager.ttflist if not entry.name.startswith("Last Resort")]
    for entry in fonts[:_FONTS_TRIED]:
        if not lacking:
            break
        known = _known(entry.fname)
        if known & lacking:
            found.append(entry.name)
            lacking -= known
    missing = sum(ord(symbol) in lacking for symbol in text)
    if 10 * missing > len(text):
        raise NoFont
    return found


def _known(font: str) -> set[int]:
    try:
        return set(font_manager.get_font(font).get_charmap())
    except (OSError, RuntimeError):
        return set()


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_WORD else text[: _LONGEST_WORD - 1] + _ENDING


def main() -> int:
    """Draw what standard input asks for, and return the exit code: 3 if no font has the characters."""
    asked = json.load(sys.stdin)
    try:
        picture = draw(asked["legend"], asked["words"], cut=asked["cut"])
    except NoFont:
        return 3
    sys.stdout.write(base64.b64encode(picture).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
