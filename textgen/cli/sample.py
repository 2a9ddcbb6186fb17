"""`textgen sample`: text on standard output, everything else on standard error."""

from __future__ import annotations

import json
from pathlib import Path

import click

from textgen.model import TextModel
from textgen.sampling import SamplingSettings


@click.command("sample")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the corpus; its model/ is used.")
@click.option("--model", "bundle", type=click.Path(path_type=Path), help="A bundle.")
@click.option("--seed", default="", help="Text to go on from.  [default: a line start of the corpus]")
@click.option("--length", type=int, default=500, show_default=True, help="Characters to write.")
@click.option("--temperature", "--diversity", type=float, default=0.7, show_default=True, help="0 is greedy.")
@click.option("--random-seed", type=int, help="The same one gives the same text.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of plain text.")
@click.option("--stream", is_flag=True, help="Write each character as it comes.")
def command(
    data_dir: Path | None,
    bundle: Path | None,
    *,
    seed: str,
    length: int,
    temperature: float,
    random_seed: int | None,
    as_json: bool,
    stream: bool,
) -> None:
    """Write text with a trained model."""
    if (data_dir is None) == (bundle is None):
        raise click.UsageError("give either --data-dir or --model")
    if as_json and stream:
        raise click.UsageError("give either --json or --stream")
    settings = SamplingSettings(length, temperature, random_seed).seeded()
    path = bundle if bundle is not None else Path(data_dir or ".") / "model"
    model = TextModel.load(path)
    if stream:
        for piece in model.stream(seed, settings):
            click.echo(piece, nl=False)
        click.echo()
        return
    sample = model.sample(seed, settings)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "text": sample.text,
                    "seed": sample.seed,
                    "random_seed": sample.random_seed,
                    "temperature": temperature,
                    "length": length,
                },
                ensure_ascii=False,
            )
        )
        return
    click.echo(f"random seed {sample.random_seed}", err=True)
    click.echo(sample.seed + sample.text)
