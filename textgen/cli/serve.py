"""`textgen serve`: a sampling process for another program, or an HTTP service for many."""

from __future__ import annotations

import secrets
import signal
from pathlib import Path
from typing import Any

import click

from textgen.argument_checks import shown
from textgen.cli.common.bundles import bundle_at, name_of
from textgen.files.bundle_files import MANIFEST
from textgen.host import extras
from textgen.host.cores import usable
from textgen.serving.http.options import KEY_VARIABLE, LOOPBACK, Limits, Options, ServedModel

_KEY_BYTES = 24
_MOST_PROCESSES = 4
# What `Limits` calls the flags that have another name there.
_NAMES = {"max_texts": "texts", "max_body": "body_bytes", "queue": "waiting", "deadline": "deadline_s"}


@click.command("serve")
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--http", is_flag=True, help="Serve MODELs over HTTP, in the form of OpenAI's completions.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--key",
    envvar=KEY_VARIABLE,
    help=f"Key that requests must show, also as {KEY_VARIABLE}.  [default: random]",
)
@click.option(
    "--key-file", type=click.Path(path_type=Path), help="File that holds the key: other users cannot read it."
)
@click.option("--no-key", is_flag=True, help="Ask for no key; only on this host's own address.")
@click.option(
    "--max-tokens", type=click.IntRange(1, 1_000_000), help="Most tokens of a text.  [default: 10000]"
)
@click.option("--max-texts", type=click.IntRange(1, 256), help="Most texts of a request.  [default: 32]")
@click.option("--max-body", type=click.IntRange(1_000), help="Bytes of a request's body.  [default: 1048576]")
@click.option("--at-once", type=click.IntRange(1), help="Requests that are written at once.  [default: 128]")
@click.option("--queue", type=click.IntRange(0), help="Requests that may wait for it.  [default: 512]")
@click.option("--connections", type=click.IntRange(1), help="Open connections.  [default: 1000]")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="Sampling processes, each with the models in memory.  [default: one a core, up to 4]",
)
@click.option(
    "--deadline", type=click.FloatRange(0.1, 86_400), help="Seconds until a text ends.  [default: 120]"
)
def command(
    models: tuple[str, ...],
    *,
    http: bool,
    host: str,
    port: int,
    key: str | None,
    key_file: Path | None,
    no_key: bool,
    processes: int | None,
    **limits: Any,
) -> None:
    """Answer the requests of other programs: as JSON lines on standard input, or with --http.

    With --http, MODEL is the folder of a bundle, or a folder that has one in model/. Its name is that of the
    folder, or of the folder above model/; NAME=FOLDER gives it another one.
    """
    if not http:
        if models:
            raise click.UsageError("MODEL is for --http; on standard input, each request names its bundle")
        from textgen.serving.stdio import main

        main()
        return
    if not models:
        raise click.UsageError("--http needs a MODEL at least: the folder of a bundle")
    if no_key and host not in LOOPBACK:
        raise click.UsageError(f"--no-key is for {', '.join(LOOPBACK)}; {host} can be reached by others")
    for package in ("aiohttp", "prometheus_client"):
        extras.require(package, "textgen serve --http")
    # aiohttp is large, and no other command needs it.
    from textgen.serving.http.process import serve

    given = None if no_key else _given_key(key, key_file)
    needed = None if no_key else given or secrets.token_urlsafe(_KEY_BYTES)
    options = Options(
        dict(map(_named, models)),
        host,
        port,
        needed,
        Limits(**{_NAMES.get(name, name): value for name, value in limits.items() if value is not None}),
        processes or min(usable(), _MOST_PROCESSES),
    )
    if len(options.models) < len(models):
        raise click.UsageError("two MODELs have the same name; NAME=FOLDER gives one another name")

    def say(address: str) -> None:
        click.echo(f"serving {', '.join(options.models)} at {address}/v1", err=True)
        if needed and not given:
            click.echo(f"key: {needed}", err=True)

    if serve(options, say) == signal.SIGINT:
        raise KeyboardInterrupt


def _given_key(key: str | None, file: Path | None) -> str | None:
    if file is not None:
        key = file.read_text(encoding="utf-8", errors="replace").strip()
    if key is not None and not (key.isascii() and key.isprintable() and key.strip() == key != ""):
        raise click.UsageError("the key must be printable ASCII without blanks around it, and not empty")
    return key


def _named(model: str) -> tuple[str, ServedModel]:
    name, equals, folder = model.rpartition("=")
    path = bundle_at(Path(folder)).resolve()
    if not equals:
        name = name_of(path)
    if not name or "/" in name or not name.isprintable():
        raise click.UsageError(
            f"{shown(name)} cannot be the name of a model; NAME=FOLDER gives it another one"
        )
    try:
        created = int((path / MANIFEST).stat().st_mtime)
    except OSError:
        created = 0  # the sampling process will say what is wrong
    return name, ServedModel(name, path, created)
