"""Make the gallery: run the bot in a simulated Discord, take pictures, write a page."""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from bot.infra.logs import configure_logs
from bot.settings import Settings
from tests.conftest import train_bundle
from tests.gallery import page
from tests.gallery.kinds import SCENES, name_of, run_scenes
from tests.gallery.pictures import LOCALES, Picture, chromium, picture
from tests.gallery.stage import stage
from tests.support.needs import CHROMIUM
from textgen.corpus.shakespeare import plays

SCENE_NAMES = [name_of(scene) for scene in SCENES]


def main() -> int:
    """Make the gallery and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__)
    parser.add_argument("folder", type=Path, help="for the page and its pictures")
    parser.add_argument(
        "--bundle", type=Path, help="a model to use (default: one is trained for some seconds)"
    )
    parser.add_argument("--language", choices=LOCALES, action="append", help="only this one")
    parser.add_argument("--scene", choices=SCENE_NAMES, action="append", help="only this one")
    wanted = parser.parse_args()
    if not CHROMIUM.exists():
        parser.error(f"there is no browser at {CHROMIUM}: install the package chromium")
    wanted.folder.mkdir(parents=True, exist_ok=True)
    # What goes wrong here goes wrong on purpose.
    configure_logs(Settings(_env_file=None))
    logging.disable()
    with tempfile.TemporaryDirectory() as scratch:
        bundle = wanted.bundle
        if bundle is None:
            bundle = Path(scratch, "bundle")
            train_bundle(plays()[0][:60_000], Path(scratch, "corpus"), bundle)
        languages = wanted.language or list(LOCALES)
        made = asyncio.run(_take(Path(scratch), wanted.folder, bundle, languages, wanted.scene or ()))
    print(f"{len(made)} pictures: {page.write(wanted.folder, made)}")
    return 0


async def _take(
    scratch: Path, folder: Path, bundle: Path, languages: list[str], scenes: list[str]
) -> list[Picture]:
    made: list[Picture] = []
    async with chromium() as browser:
        for language in languages:
            async with stage(scratch / language, bundle, LOCALES[language]) as running:
                await run_scenes(running, scenes)
                made += await picture(running, browser, folder, language)
    return made


if __name__ == "__main__":
    sys.exit(main())
