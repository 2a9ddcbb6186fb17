"""`textgen serve`: a sampling process for another program."""

import click

from textgen.serving.stdio import main


@click.command("serve")
def command() -> None:
    """Answer sampling requests on standard input, as JSON lines."""
    main()
