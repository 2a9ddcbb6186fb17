"""`textgen completion`: what a shell needs to complete commands, options and paths."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from textgen.errors import TextgenError

VARIABLE = "_TEXTGEN_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Write the completion script of SHELL to standard output.

    bash and zsh: put `eval "$(textgen completion bash)"` into ~/.bashrc, or with zsh into ~/.zshrc.
    fish: `textgen completion fish > ~/.config/fish/completions/textgen.fish`.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise TextgenError(f"there is no completion for {shell}")
    # click asks the installed bash for its version here, and warns; the script itself is the same.
    made = kind(click.Command("textgen"), {}, "textgen", VARIABLE)
    click.echo(made.source_template % made.source_vars(), nl=False)
