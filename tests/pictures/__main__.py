"""Makes README's pictures from the running playground, in Chromium: `python -m tests.pictures`.

A model is trained as `make demo` does it. Then a person trains a second one on the page and asks it for a
text: `learns.gif` shows that. The other pictures are cards of the same page.
"""

import asyncio
import tempfile
from pathlib import Path

import click
from rich.console import Console

from bot.demo.playground import FIRST_JOB, GUILD_ID, demo_settings, prepare
from bot.infra.paths import Layout
from bot.settings import Settings
from tests.pictures.scenes import take
from tests.support.bot.page import CHROMIUM

PICTURES = Path(__file__).parents[2] / "docs" / "first-look"


@click.command()
@click.option("--output", type=click.Path(path_type=Path), default=PICTURES, help="Folder of the pictures.")
@click.option("--minutes", default=2, show_default=True, help="Time of the training that is shown.")
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="Bundle of the first model.")
@click.option("--short", is_flag=True, help="End the training early: to see whether this script works.")
def main(output: Path, minutes: int, model: Path | None, short: bool) -> None:
    """Make all pictures of README."""
    if not CHROMIUM.exists():
        raise click.ClickException(f"there is no browser at {CHROMIUM}: install Debian's package chromium")
    with tempfile.TemporaryDirectory() as name:
        first, shown = (
            demo_settings(Settings(_env_file=None, data_dir=Path(name) / part)) for part in ("first", "shown")
        )
        if model is None:
            first.prepare_data_dir()
            prepare(first, Console(stderr=True), training_s=40)
            model = Layout(first.data_dir).bundle(GUILD_ID, FIRST_JOB)
        output.mkdir(parents=True, exist_ok=True)
        shown.prepare_data_dir()
        asyncio.run(take(shown, model, output, minutes=minutes, short=short))
    for picture in sorted(output.iterdir()):
        click.echo(f"{picture.name}: {picture.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
