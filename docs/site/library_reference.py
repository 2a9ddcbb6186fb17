"""The reference of the library, from the docstrings of the names that `textgen` exports."""

from __future__ import annotations

import inspect
import re
import textwrap
import types
from collections.abc import Iterator
from typing import Any

import textgen

SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises", "Example")
WIDTH = 90
METHODS = (
    *("load", "generate", "stream", "sample", "samples"),
    *("log_probabilities", "next_token", "memory", "knows_lines"),
)
"""What of `TextModel` is for callers; the rest is for the bot's samplers."""

ORDER = ("load", "train", "TextModel", "SamplingSettings", "Sample", "TrainingSettings", "TrainingResult")


def library() -> str:
    """Return the page of the library."""
    lines = [
        "# The library `textgen`",
        "",
        "Every name that `import textgen` offers. The examples are run by the tests.",
        "",
    ]
    for name in (*ORDER, *sorted(set(textgen.__all__) - set(ORDER))):
        lines += _entry(name, getattr(textgen, name))
    return "\n".join(lines)


def _entry(name: str, thing: Any) -> Iterator[str]:
    yield f"## `textgen.{name}`"
    yield ""
    if isinstance(thing, types.UnionType):
        kinds = ", ".join(f"`{each.__name__}`" for each in thing.__args__)
        yield from (f"One of {kinds}: what `on_event` of `textgen.train` is called with.", "")
        return
    if inspect.isfunction(thing):
        yield from _signature(name, thing)
    yield from markdown(inspect.getdoc(thing) or "")
    if thing is textgen.TextModel:
        for method in METHODS:
            member = inspect.getattr_static(thing, method)
            yield from (f"### `TextModel.{method}`", "")
            function = getattr(thing, method)
            if not isinstance(member, property):
                yield from _signature(method, function)
            yield from markdown(inspect.getdoc(function) or "")


def _signature(name: str, function: Any) -> Iterator[str]:
    given = [
        each for each in inspect.signature(function).parameters.values() if each.name not in ("self", "cls")
    ]
    shown = [_parameter(each) for each in given]
    keyword_only = [each.kind is each.KEYWORD_ONLY for each in given]
    if True in keyword_only:
        shown.insert(keyword_only.index(True), "*")
    line = f"{name}({', '.join(shown)})"
    if len(line) > WIDTH:
        line = f"{name}(\n" + "".join(f"    {each},\n" for each in shown) + ")"
    yield from ("```python", line, "```", "")


def _parameter(given: inspect.Parameter) -> str:
    stars = {given.VAR_KEYWORD: "**", given.VAR_POSITIONAL: "*"}.get(given.kind, "")
    annotation = given.annotation
    kind = "" if annotation is given.empty else f": {getattr(annotation, '__name__', annotation)}"
    if given.default is given.empty:
        return f"{stars}{given.name}{kind}"
    return f"{given.name}{kind} = {'…' if callable(given.default) else repr(given.default)}"


def markdown(docstring: str) -> Iterator[str]:
    """Yield a docstring in Google's style as lines of Markdown.

    Args:
        docstring: as `inspect.getdoc` returns it.
    """
    parts = re.split(rf"^({'|'.join(SECTIONS)}):\n", docstring, flags=re.MULTILINE)
    yield from (_code(parts[0].strip()), "")
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        body = textwrap.dedent(body).rstrip()
        if heading == "Example":
            yield from ("Example:", "", "```pycon", body.strip(), "```", "")
        elif heading in ("Returns", "Yields"):
            yield from (f"{heading}: {_code(' '.join(body.split()))}", "")
        else:
            yield from (f"{heading}:", "")
            for entry in re.split(r"\n(?=\S)", body):
                name, _, about = entry.partition(": ")
                yield f"- `{name.replace('*', '')}`: {_code(' '.join(about.split()))}"
            yield ""


def _code(text: str) -> str:
    return re.sub(r"``(.+?)``", r"`\1`", text).replace("<", "&lt;")
