r"""The protocol of a sampling process: JSON requests and answers, one a line.

A request, its answer, and the answer to a request that fails::

    {"id": "1", "bundle": "/path", "seed": "To be", "settings": {"length": 500, "random_seed": 7}}
    {"id": "1", "text": "…", "seed": "To be", "random_seed": 7, "characters": 500, "ended": "length",
     "unseen": [], "training": "time limit"}
    {"id": "1", "error": {"type": "SettingsError", "message": "…"}}

Keys of a request:

- ``settings``: the fields of `textgen.sampling.SamplingSettings`.
- ``stream``: true sends the text in pieces first, ``{"id": "1", "piece": "…"}``; for one text only.
- ``corpus`` and ``longest_copy``: a corpus' path, and how many characters of it a text may repeat.
- ``server``: whose turn the request takes. Models take turns by time, so a slow one does not delay the
  others by more than its share. By default each bundle has turns of its own.
- ``measure``: true asks for ``load_s`` and ``step_s``.

Keys of an answer, beside those above:

- ``unseen``: symbols of the seed that the model does not know. ``folded``: parts of the seed that were
  replaced by forms that it knows. ``never_written``: stop sequences that it cannot write.
- ``texts``, ``seeds``, ``random_seeds``: all texts of a request with a ``count`` above 1; the other keys
  describe the first one.
- ``copied``: for each text the length in characters of the longest run that the corpus contains, or 0 if it
  is within ``longest_copy`` (`textgen.evaluation.copies`).
- ``training``: why the model's training ended.
- ``load_s`` and ``step_s``: seconds for loading the model and, currently, for one step of its texts.
- ``line`` and ``values`` of an error: its message as a format, for translation.

Two more requests: ``{"op": "cancel", "id": "1"}`` drops the request with that id, which gets no answer.
``{"op": "ping", "id": "1"}`` is answered by ``{"id": "1", "pong": true}`` as soon as the texts allow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from textgen.errors import SettingsError, TextgenError
from textgen.sampling.request import Request
from textgen.sampling.sample import Sample


@dataclass(slots=True, eq=False)
class Job:
    """A request of the protocol: one text or several by one model.

    Attributes:
        identity: the request's id.
        requests: the texts' requests to the engine.
        stream: whether the text is sent in pieces.
        training: why the model's training ended.
        corpus: path of the corpus to compare with; None for no comparison.
        longest_copy: how many characters of the corpus a text may repeat.
        measure: whether the answer has durations.
    """

    identity: str
    requests: list[Request]
    stream: bool
    training: str
    corpus: str | None = None
    longest_copy: int = 0
    measure: bool = False

    @property
    def complete(self) -> bool:
        """Whether all texts have ended."""
        return all(request.ended is not None for request in self.requests)

    def answer(self) -> dict[str, Any]:
        """Return the answer, when the job is complete."""
        samples = [Sample.of(request) for request in self.requests]
        first = samples[0]
        answer = {
            "id": self.identity,
            "text": first.text,
            "seed": first.seed,
            "random_seed": first.random_seed,
            "characters": len(first.text),
            "ended": first.ended,
            "unseen": list(first.unseen),
            "training": self.training,
        }
        if first.folded:
            answer["folded"] = dict(first.folded)
        if first.never_written:
            answer["never_written"] = list(first.never_written)
        if len(samples) > 1:
            answer["texts"] = [sample.text for sample in samples]
            answer["seeds"] = [sample.seed for sample in samples]
            answer["random_seeds"] = [sample.random_seed for sample in samples]
        return answer


def error_answer(identity: Any, error: TextgenError) -> dict[str, Any]:
    """Return the answer to a request that fails.

    Args:
        identity: the request's id; None if it could not be read.
        error: why it fails.
    """
    described: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
    if error.values:
        described |= {"line": error.line, "values": error.values}
    return {"id": identity, "error": described}


def parse(line: str) -> dict[str, Any]:
    """Return the request in a line, with the keys that it must have.

    Raises:
        SettingsError: the line is no request.
    """
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise SettingsError("the request is not valid JSON") from None
    if not isinstance(request, dict):
        raise SettingsError("the request is not a JSON object")
    operation = request.get("op", "sample")
    if operation not in ("sample", "cancel", "ping"):
        raise SettingsError(
            f"there is no op {str(operation)[:40]!r}; there are 'sample', 'cancel' and 'ping'"
        )
    kinds: dict[str, type] = {"id": str}
    if operation == "sample":
        kinds |= {"bundle": str, "seed": str, "settings": dict}
        if "corpus" in request:
            kinds |= {"corpus": str, "longest_copy": int}
    for name, kind in kinds.items():
        if not isinstance(request.get(name), kind):
            raise SettingsError(f"the request needs {name!r} as {kind.__name__}")
    return request
