"""`textgen sample`: text on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from textgen.blending import DEFAULT_MIX, blend
from textgen.cli.common.bundles import bundle_at, one_of
from textgen.cli.common.corpora import indexed
from textgen.cli.common.reading import quiet_option
from textgen.cli.common.streams import json_line
from textgen.evaluation.authorship.verification import code_of_sample
from textgen.evaluation.copies import SHORTEST
from textgen.model import TextModel
from textgen.sampling import SamplingSettings
from textgen.sampling.request import Request
from textgen.sampling.sample import Sample
from textgen.sampling.settings import UNSEEN
from textgen.sampling.typed_text import MAXIMUM_SEED_CHARACTERS

STANDARD_INPUT = "-"
_LONGEST_COPY = 50
_CodeOf = Callable[[Sample], str | None]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _control(*flags: str, **attributes: Any) -> Callable[[_Function], _Function]:
    """Return the option for a field of `SamplingSettings`; the library's default is also the flag's."""
    default = getattr(SamplingSettings(), flags[0].removeprefix("--").replace("-", "_"))
    return click.option(*flags, default=default, show_default=True, **attributes)


@click.command("sample")
@click.argument("model", required=False, type=click.Path(path_type=Path), metavar="[MODEL]")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the corpus; its model/ is used.")
@click.option("--model", "bundle", type=click.Path(path_type=Path), help="A bundle.")
@click.option("--base", help="A pretrained base, as it is (`textgen base list`).")
@click.option(
    "--with", "other", type=click.Path(path_type=Path), metavar="MODEL", help="Blend with this model."
)
@click.option("--mix", type=float, help=f"Share of the model --with, 0 to 1.  [default: {DEFAULT_MIX}]")
@click.option("--seed", default="", help="Text to go on from; - reads it.  [default: a line start]")
@_control(
    "--unseen",
    type=click.Choice(UNSEEN),
    help="What to do with symbols of the seed that the model has never seen in any form.",
)
@_control("--length", type=int, help="Maximum length in characters, or in words at word level.")
@_control(
    "--temperature",
    "--diversity",
    type=float,
    help="Higher is more random; 0 always takes the most likely token.",
)
@click.option("--top-k", type=int, help="Draw only from the K most likely tokens.")
@click.option(
    "--top-p", type=float, help="Draw only from the most likely tokens that together have this probability."
)
@click.option(
    "--min-p", type=float, help="Draw only from tokens with at least this share of the highest probability."
)
@click.option(
    "--typical-p",
    type=float,
    help="Draw only from the most typical tokens that together have this probability.",
)
@click.option("--repetition-penalty", type=float, help="A value above 1 makes recent tokens less likely.")
@_control("--repetition-window", type=int, help="Number of tokens that count as recent.")
@click.option("--no-repeat-ngram", type=int, help="Write no sequence of N tokens twice.")
@click.option(
    "--stop", multiple=True, metavar="TEXT", help="Stop sequence: end before this text. Can be repeated."
)
@click.option(
    "--novel/--no-novel",
    default=None,
    help="Draw lines again that stand in the corpus.  [default: on for a corpus with one item per line]",
)
@click.option(
    "--corpus", "corpora", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Keep the text from repeating passages of this corpus. Can be repeated.",
)  # fmt: skip
@click.option(
    "--longest-copy", type=click.IntRange(SHORTEST, 2_000), metavar="N",
    help=f"Characters in one piece that may stand in the --corpus.  [default: {_LONGEST_COPY}]",
)  # fmt: skip
@click.option("--time-limit", "time_limit_s", type=float, metavar="SECONDS", help="End after this time.")
@_control("--count", type=int, help="Number of texts.")
@click.option(
    "--random-seed",
    type=int,
    help="The same seed gives the same text; with --count, each text takes the next seed.",
)
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line for each text.")
@click.option("--stream", is_flag=True, help="Write each character as it comes.")
@click.option(
    "--receipt", is_flag=True, help="Tell a code with which `textgen verify` knows each text again."
)
@quiet_option
def command(
    model: Path | None,
    data_dir: Path | None,
    bundle: Path | None,
    base: str | None,
    *,
    other: Path | None,
    mix: float | None,
    seed: str,
    corpora: tuple[Path, ...],
    longest_copy: int | None,
    as_json: bool,
    stream: bool,
    receipt: bool,
    **controls: Any,
) -> None:
    """Write text with MODEL: the folder of a bundle, or a folder that has one in model/.

    The controls apply in this order: repetition penalty, no-repeat n-gram, top-k, top-p, min-p,
    typical-p, temperature.
    """
    one_of({"MODEL": model, "--data-dir": data_dir, "--model": bundle, "--base": base})
    if as_json and stream:
        raise click.UsageError("give either --json or --stream")
    if mix is not None and other is None:
        raise click.UsageError("--mix is the share of a second model; name one by --with")
    if longest_copy is not None and not corpora:
        raise click.UsageError("--longest-copy is of a corpus; name that by --corpus")
    settings = SamplingSettings(**controls).seeded()
    if stream and settings.count > 1:
        raise click.UsageError("--stream writes one text; leave --count out")
    if seed == STANDARD_INPUT:
        seed = _typed_seed()
    if base is not None:
        loaded = TextModel.of_base(base)
    elif model is not None:
        loaded = TextModel.load(bundle_at(model))
    else:
        loaded = TextModel.load(bundle if bundle is not None else Path(data_dir or ".") / "model")
    if other is not None:
        loaded = blend(loaded, TextModel.load(bundle_at(other)), DEFAULT_MIX if mix is None else mix)
    if loaded.manifest.half_trained:
        click.echo(
            f"note: this model's training was ended after {loaded.manifest.fraction:.0%} of its time",
            err=True,
        )
    if settings.novel and not loaded.knows_lines:
        click.echo(
            "note: this model does not carry which lines stand in its corpus; none is drawn again", err=True
        )
    limit = _LONGEST_COPY if longest_copy is None else longest_copy
    reading = indexed(corpora, limit, loaded.manifest.text_form)
    indices = click.get_current_context().with_resource(reading)
    code_of = None
    if receipt:
        code_of = partial(
            code_of_sample, loaded, settings, seeded=bool(seed), longest_copy=limit if corpora else None
        )
    if stream:
        _stream(loaded, loaded.request(seed, settings, indices)[0], settings, code_of)
        return
    for number, sample in enumerate(loaded.samples(seed, settings, indices), 1):
        if as_json:
            described = _described(sample, settings) | {"half_trained": loaded.manifest.half_trained}
            click.echo(json_line(described | ({"receipt": code_of(sample)} if code_of else {})))
            continue
        if settings.count > 1:
            # The blank line belongs to the texts on standard output, the heading to standard error.
            if number > 1:
                click.echo()
            click.echo(f"── {number} of {settings.count}, random seed {sample.random_seed} ──", err=True)
        else:
            click.echo(f"random seed {sample.random_seed}", err=True)
        _tell_typed(sample, settings)
        click.echo(sample.seed + sample.text)
        _tell_end(sample, code_of)


def _typed_seed() -> str:
    """Return what standard input holds, without the line break at its end; no more than a seed may have."""
    text = sys.stdin.read(MAXIMUM_SEED_CHARACTERS + 2)
    if "\ufffd" in text:
        click.echo("note: standard input is not UTF-8 everywhere", err=True)
    return text.removesuffix("\n").removesuffix("\r")


def _stream(model: TextModel, request: Request, settings: SamplingSettings, code_of: _CodeOf | None) -> None:
    click.echo(f"random seed {settings.random_seed}", err=True)
    _tell_typed(Sample.of(request), settings)
    click.echo(request.seed, nl=False)
    for piece in model.stream_of(request):
        click.echo(piece, nl=False)
    click.echo()
    _tell_end(Sample.of(request), code_of)


def _tell_typed(sample: Sample, settings: SamplingSettings) -> None:
    if sample.unseen:
        done = "dropped" if settings.unseen == "drop" else "read as unknown"
        click.echo(f"never seen by the model and {done}: {_listed(sample.unseen)}", err=True)
    if sample.never_written:
        click.echo(
            f"never written by this model, so nothing ends there: {_listed(sample.never_written)}", err=True
        )


def _listed(texts: tuple[str, ...]) -> str:
    return " ".join(map(repr, texts[:10])) + (" …" if len(texts) > 10 else "")


def _tell_end(sample: Sample, code_of: _CodeOf | None) -> None:
    if sample.ended == "time limit":
        click.echo(f"the time limit ended it after {len(sample.text):,} characters", err=True)
    if sample.copied_lines:
        click.echo(
            f"{sample.copied_lines} lines stand in the corpus: this model found no others; "
            "a higher --temperature does",
            err=True,
        )
    if code_of:
        code = code_of(sample)
        told = f"receipt {code}" if code else "no receipt: a code holds no long stop texts, nor a time limit"
        click.echo(told, err=True)


def _described(sample: Sample, settings: SamplingSettings) -> dict[str, Any]:
    return {
        "text": sample.text,
        "seed": sample.seed,
        "random_seed": sample.random_seed,
        "temperature": settings.temperature,
        "length": settings.length,
        "ended": sample.ended,
        "unseen": sample.unseen,
        "copied_lines": sample.copied_lines,
        "folded": dict(sample.folded),
        "never_written": sample.never_written,
    }
