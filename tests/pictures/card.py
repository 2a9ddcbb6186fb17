"""The picture that other sites show beside a link: what Pastiche is, in words and in one card."""

import base64
from pathlib import Path

from PIL import Image
from playwright.async_api import BrowserContext

SIZE = {"width": 1280, "height": 640}
PAGE = """
<style>
  body { margin: 0; width: 1280px; height: 640px; overflow: hidden; background: #1e1f22; color: #f2f3f5;
    font-family: "Noto Sans", "DejaVu Sans", sans-serif; display: flex; align-items: center; }
  main { width: 640px; padding: 0 40px 0 72px; box-sizing: border-box; }
  h1 { margin: 0 0 20px; font-size: 84px; letter-spacing: -2px; }
  p { margin: 0 0 28px; font-size: 31px; line-height: 1.35; color: #dbdee1; }
  ul { margin: 0; padding: 0; list-style: none; font-size: 23px; line-height: 1.7; color: #b5bac1; }
  li::before { content: "▍"; color: #7c5cff; }
  img { width: 480px; margin: 40px 0 0 40px; align-self: flex-start; border-radius: 14px; background: #313338;
    padding: 16px 24px 16px 8px; box-shadow: 0 16px 60px #000a; }
</style>
<main>
  <h1>Pastiche</h1>
  <p>A Discord bot that learns to write in the style of the texts your community uploads.</p>
  <ul><li>trains in a minute on two processor cores</li><li>everything stays on your own machine</li>
  <li>also a library and a command line</li></ul>
</main>
<img src="data:image/png;base64,PICTURE" alt="">
"""


async def social(context: BrowserContext, card: bytes, path: Path) -> None:
    """Write the picture.

    Args:
        context: of the browser.
        card: PNG of a card that is shown in it.
        path: where it is written.
    """
    page = await context.new_page()
    await page.set_viewport_size(SIZE)
    await page.set_content(PAGE.replace("PICTURE", base64.b64encode(card).decode()))
    await page.screenshot(path=path)
    await page.close()
    Image.open(path).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
