"""`textgen evaluate`: how well a model predicts a text, and how much of a corpus it has memorised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from textgen import bundle as bundles
from textgen.cli.common.corpora import text_of
from textgen.cli.common.reading import reading_options
from textgen.cli.common.streams import json_line
from textgen.corpus.reading.encoding import check_policy
from textgen.corpus.reading.sources import ReadingOptions
from textgen.evaluation import overlapping_windows, random_windows, stateful_pass
from textgen.evaluation.adaptive import adaptive_pass
from textgen.evaluation.memorization import GRAM, memorization
from textgen.model import TextModel
from textgen.network.spec import NetworkSpec
from textgen.sampling import SamplingSettings

_SAMPLES, _LENGTH = 20, 500


@click.command("evaluate")
@click.option("--model", "bundle", type=click.Path(path_type=Path), help="A bundle.")
@click.option("--base", help="A pretrained base, as it is (`textgen base list`).")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--protocol",
    type=click.Choice(["stateful", "windows", "overlapping"]),
    help="One pass over the whole text, nanoGPT's random windows, or windows of 512 tokens that overlap by "
    "half.  [default: stateful; for a base, fine-tuned or not, overlapping]",
)
@click.option(
    "--adapt",
    is_flag=True,
    help="One pass in which the counts learn the text as it is read; the network stays as it is.",
)
@click.option("--window", type=int, default=256, show_default=True, help="Tokens of a window.")
@click.option("--windows", type=int, default=512, show_default=True, help="Number of windows.")
@click.option(
    "--random-seed", type=int, default=1, show_default=True, help="Seed of the windows and samples."
)
@click.option(
    "--corpus",
    "source",
    type=click.Path(path_type=Path),
    help="Measure how much of the samples stands in this text.",
)
@click.option("--temperature", type=float, default=0.7, show_default=True, help="Of those samples.")
@reading_options
@click.option("--json", "as_json", is_flag=True, help="A JSON object.")
def command(
    bundle: Path | None,
    base: str | None,
    file: Path,
    *,
    protocol: str | None,
    adapt: bool,
    window: int,
    windows: int,
    random_seed: int,
    source: Path | None,
    temperature: float,
    column: str | None,
    encoding: str | None,
    encoding_errors: str,
    as_json: bool,
) -> None:
    """Say how well a model predicts FILE: nats, bits, perplexity.

    FILE is read like the corpus of the model, unless flags say otherwise.
    """
    options = ReadingOptions(column, encoding, check_policy(encoding_errors))
    if (bundle is None) == (base is None):
        raise click.UsageError("give either --model or --base")
    if adapt and protocol not in (None, "stateful"):
        raise click.UsageError("--adapt is for the protocol stateful")
    if adapt and bundle is None:
        raise click.UsageError("--adapt is for bundles: a base has no counts")
    made = bundles.read(bundle) if bundle is not None else None
    model = TextModel(made) if made is not None else TextModel.of_base(base or "")
    trained = model.manifest.text_form
    text = text_of(file, options, trained)
    if adapt and made is not None:
        figures = adaptive_pass(made, text)
    elif protocol == "windows":
        figures = random_windows(model, text, window=window, windows=windows, random_seed=random_seed)
    elif protocol == "overlapping" or (protocol is None and not isinstance(model.spec, NetworkSpec)):
        figures = overlapping_windows(model, text)
    else:
        figures = stateful_pass(model, text)
    told: dict[str, Any] = {
        "protocol": figures.protocol,
        "characters": figures.characters,
        "tokens": figures.tokens,
        "nats_per_character": figures.nats_per_character,
        "bits_per_character": figures.bits_per_character,
        "perplexity_per_token": figures.perplexity_per_token,
        "standard_error": figures.standard_error,
        "unseen": figures.unseen,
    }
    if source is not None:
        told |= _copied(model, text_of(source, options, trained), temperature, random_seed)
    if as_json:
        click.echo(json_line(told))
        return
    error = f" ± {figures.standard_error:.4f}" if figures.standard_error is not None else ""
    click.echo(f"{figures.protocol}: {figures.tokens:,} tokens, {figures.characters:,} characters")
    click.echo(
        f"{figures.nats_per_character:.4f}{error} nats per character, {figures.bits_per_character:.4f} bits; "
        f"perplexity {figures.perplexity_per_token:.3f} per token"
    )
    if figures.unseen:
        click.echo(f"{figures.unseen:.3%} of the tokens are not in the vocabulary")
    if source is not None:
        click.echo(
            f"{told['copied_share']:.2%} of the {GRAM}-grams of {told['sampled_characters']:,} sampled "
            f"characters stand in {source}; the longest copied run has {told['longest_copied']} characters: "
            f"{told['longest_run']!r}"
        )


def _copied(model: TextModel, text: str, temperature: float, random_seed: int) -> dict[str, Any]:
    settings = SamplingSettings(_LENGTH, temperature, random_seed, count=_SAMPLES)
    samples = [sample.text for sample in model.samples("", settings)]
    found = memorization(samples, model.tokenizer.normalize(text))
    return {
        "sampled_characters": found.characters,
        "copied_share": found.share,
        "longest_copied": found.longest,
        "longest_run": found.longest_run,
    }
