"""Screenshots as a moving picture, and as small still ones: few colours, and each frame only what changed."""

import io
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator, Page

COLOURS = 48


class Reel:
    """Frames of a page, each with the time it is shown for.

    Args:
        page: what is filmed.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[tuple[bytes, int]] = []

    async def shoot(self, shown_ms: int) -> None:
        """Take a frame, unless nothing has changed since the last one."""
        taken = await self._page.screenshot(animations="disabled", caret="initial")
        if not self._frames or self._frames[-1][0] != taken:
            self._frames.append((taken, shown_ms))

    def save(self, path: Path) -> None:
        """Write an endless GIF."""
        pictures = [_opened(taken) for taken, _ in self._frames]
        sample = _side_by_side(pictures[:: max(1, len(pictures) // 8)] + pictures[-1:])
        # Most of a page is grey: the few coloured dots must have their colours, too.
        palette = sample.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
        # Without dithering, what stands still stays the same from frame to frame.
        first, *others = (picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures)
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=[shown_ms for _, shown_ms in self._frames],
            loop=0,
            optimize=True,
        )


async def save_still(shown: Locator, path: Path) -> None:
    """Write a picture of an element of the page."""
    await shown.scroll_into_view_if_needed()
    taken = _opened(await shown.screenshot(animations="disabled"))
    fewer = taken.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    fewer.save(path, optimize=True)


def _opened(taken: bytes) -> Image.Image:
    return Image.open(io.BytesIO(taken)).convert("RGB")


def _side_by_side(pictures: list[Image.Image]) -> Image.Image:
    width, height = pictures[0].size
    strip = Image.new("RGB", (width * len(pictures), height))
    for place, picture in enumerate(pictures):
        strip.paste(picture, (place * width, 0))
    return strip
