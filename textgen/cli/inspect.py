"""`textgen inspect`: what a bundle is, in one screen."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from textgen import bundle as bundles
from textgen.cli.common.streams import json_line
from textgen.errors import BundleError
from textgen.experts.registry import FURTHER
from textgen.files import atomic
from textgen.files.bundle_files import PICTURE
from textgen.files.output_folder import Output
from textgen.levels import LEVELS
from textgen.network.spec import NetworkSpec
from textgen.pretrained.tuned.spec import MIXTURE, TunedSpec

_BARS = "▁▂▃▄▅▆▇█"


@click.command("inspect")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The manifest as JSON.")
@click.option("--plot", is_flag=True, help="Draw the loss over time as loss.png in the bundle.")
@click.option("--force", is_flag=True, help="Overwrite a loss.png that textgen has not drawn.")
def command(bundle: Path, *, as_json: bool, plot: bool, force: bool) -> None:
    """Show what BUNDLE is: network, corpus, figures. Every file in it is checked."""
    loaded = bundles.read(bundle)
    manifest = loaded.manifest
    if plot:
        from textgen.training.reporting.plotting import is_curve, write_loss_curve

        picture = Output.of(bundle).standing() / PICTURE
        if not is_curve(picture):
            atomic.refuse_to_overwrite(picture, BundleError, force=force)
        write_loss_curve(manifest.history, picture, unit=LEVELS[loaded.tokenizer.level].token)
    if as_json:
        click.echo(json_line({**dataclasses.asdict(manifest), "spec": loaded.spec.to_json()}))
        return
    spec = loaded.spec
    rows = {
        "bundle": str(bundle),
        "network": _network(spec),
        "parameters": f"{manifest.parameters:,}",
        "counts": ", ".join(f"{expert.entries:,} of {expert.name}" for expert in loaded.experts) or "–",
        "experts": _experts(loaded),
        **({"mixture": _mixture(loaded)} if isinstance(spec, TunedSpec) else {}),
        "tokens": f"{manifest.vocabulary:,} at {manifest.level} level",
        "corpus": f"{manifest.characters:,} characters (SHA-256 {manifest.corpus_sha256[:12]}…)"
        + (", one item a line" if manifest.items else ""),
        "validation": f"{manifest.validation_loss:.4f} nats, {manifest.bits_per_token:.4f} bits, "
        f"perplexity {manifest.perplexity:.2f} per token",
        "trained": f"{manifest.steps:,} steps in {manifest.seconds:,.0f} s on {manifest.device}, "
        f"ended by {manifest.stopped}" + (f" after {manifest.fraction:.0%}" if manifest.half_trained else ""),
        "created": f"{manifest.created_at} by textgen {manifest.textgen_version}",
        "curve": _curve([entry["validation_loss"] for entry in manifest.history]),
    }
    for name, value in rows.items():
        click.echo(f"{name:<11} {value}")


def _network(spec: NetworkSpec | TunedSpec) -> str:
    if isinstance(spec, TunedSpec):
        base = spec.network
        return (
            f"rank {spec.rank} on {spec.base} (SHA-256 {spec.base_sha256[:12]}…): {base.layers} × "
            f"{base.width} {spec.cell}, {base.parameters:,} parameters of its own"
        )
    return f"{spec.layers} × {spec.units} {spec.cell}, embedding {spec.embedding}, dropout {spec.dropout:g}"


def _mixture(loaded: bundles.Bundle) -> str:
    weights = loaded.weights[MIXTURE]
    return f"{weights.min():.0%} to {weights.max():.0%} base, by what the n-grams know; the rest n-grams"


def _experts(loaded: bundles.Bundle) -> str:
    """Return what each counted model reaches alone, what they reach together, and whether that was chosen."""
    losses, used = loaded.manifest.expert_losses, [expert.name for expert in loaded.experts]
    figures = ", ".join(f"{name} {loss:.4f}" for name, loss in losses.items())
    told = [f"{figures} nats without a network"] if losses else []
    unused = [name for name in losses if name in FURTHER and name not in used]
    told += [f"unused: {', '.join(unused)}"] if unused else []
    if used and isinstance(loaded.spec, NetworkSpec):
        counts = not loaded.weights["output.kernel"].any()
        told.append("chosen: " + ("the counts alone" if counts else "with the network"))
    return "; ".join(told) or "–"


def _curve(losses: list[float]) -> str:
    """Return losses over time as a line of bars."""
    if not losses:
        return "–"
    shown = losses[:: max(1, len(losses) // 40)]
    low, high = min(shown), max(shown)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0
    bars = "".join(_BARS[round((loss - low) * scale)] for loss in shown)
    return f"{bars}  {losses[0]:.3f} → {min(losses):.3f}"
