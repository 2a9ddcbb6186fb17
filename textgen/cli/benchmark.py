"""`textgen benchmark`: measures this machine in about a minute."""

from __future__ import annotations

import os

import click

from textgen.benchmark import report
from textgen.cli.common.streams import json_line
from textgen.errors import SettingsError


@click.command("benchmark")
@click.option("--json", "as_json", is_flag=True, help="A JSON object.")
@click.option(
    "--training-seconds",
    type=click.FloatRange(5, 3600),
    default=report.TRAINING_S,
    show_default=True,
    help="Time limit of the training.",
)
def command(*, as_json: bool, training_seconds: float) -> None:
    """Measure this machine: how fast it starts, writes, trains, multiplies and reads memory."""
    if not hasattr(os, "wait4"):
        raise SettingsError("textgen benchmark needs a system that tells the memory of a child process")
    figures = report.measure(training_seconds, lambda what: click.echo(f"{what} …", err=True))
    if as_json:
        click.echo(json_line(figures))
        return
    for line in report.lines(figures):
        click.echo(line)
