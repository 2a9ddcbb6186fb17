r"""The protocol of a sampling process: JSON requests and answers, one a line.

A request, its answer, and the answer to a request that fails::

    {"id": "1", "bundle": "/path", "seed": "To be", "settings": {"length": 500, "random_seed": 7}}
    {"id": "1", "text": "…", "seed": "To be", "random_seed": 7, "characters": 500, "ended": "length",
     "unseen": [], "training": "time limit"}
    {"id": "1", "error": {"type": "SettingsError", "message": "…"}}

Keys of a request:

- ``settings``: the fields of `textgen.sampling.SamplingSettings`.
- ``stream``: true sends the text in pieces first, ``{"id": "1", "piece": "…"}``; for one text only. The first
  piece has the ``seed`` as the model reads it.
- ``scores``: with ``stream``, each piece has ``scores`` (`textgen.inference.scores`): for each of its tokens
  ``[token, length, log_probability, top]``, with so many of the likeliest tokens in ``top``.
- ``tokens``: the text ends after so many tokens, whatever ``settings`` say of its length.
- ``corpus`` and ``longest_copy``: a corpus' path, and how many characters of it a text may repeat.
- ``original``: true keeps the texts from repeating more than that, as far as there is a way around it.
- ``with``: blends the model with another (`textgen.blending`): ``{"bundle": "/path", "mix": 0.4}``.
  It may have a ``corpus`` of its own.
- ``server``: whose turn the request takes. Models take turns by time, so a slow one does not delay the
  others by more than its share. By default each bundle has turns of its own.
- ``receipt``: true asks for the ``receipts`` of the texts.
- ``measure``: true asks for ``load_s`` and ``step_s``, and for ``tokens``: the numbers of tokens of the seed
  and of the text.

Keys of an answer, beside those above:

- ``unseen``: symbols of the seed that the model does not know. ``folded``: parts of the seed that were
  replaced by forms that it knows. ``never_written``: stop sequences that it cannot write.
- ``texts``, ``seeds``, ``random_seeds``: all texts of a request with a ``count`` above 1; the other keys
  describe the first one.
- ``copied``: for each text the length in characters of the longest run that the corpus contains, or 0 if it
  is within ``longest_copy`` (`textgen.evaluation.copies`).
- ``receipts``: for each text the code that draws it again (`textgen.receipts.code`), or null if none can.
- ``training``: why the model's training ended.
- ``load_s`` and ``step_s``: seconds for loading the model and, currently, for one step of its texts.
- ``line`` and ``values`` of an error: its message as a format, for translation.

A request with ``"op": "score"`` asks for the scores of the seed alone. It has ``id``, ``bundle``, ``seed``,
``settings`` and ``scores`` as above. Its answer is ``{"id": "1", "scores": […]}`` for each part of the seed,
and at last ``{"id": "1", "seed": "…", "tokens": [9, 0]}``.

A request with ``"op": "who"`` asks how likely the model wrote a text. It has ``id``, ``bundle`` and ``text``,
and may have ``server``. Its answer has ``words``, the words of the text, ``as_read``, the text as the model
writes it, and ``likelihood``: the fields of `textgen.evaluation.authorship.reading.Likelihood`.

Two more requests: ``{"op": "cancel", "id": "1"}`` drops the request with that id, which gets no answer.
``{"op": "ping", "id": "1"}`` is answered by ``{"id": "1", "pong": true}`` as soon as the texts allow.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from textgen.argument_checks import check_number
from textgen.errors import SettingsError, TextgenError
from textgen.model import TextModel
from textgen.receipts.code import LONGEST_COPY
from textgen.sampling.request import Request
from textgen.sampling.sample import Sample
from textgen.sampling.settings import MAXIMUM_LENGTH
from textgen.serving.blends import check_blend

MOST_SCORES = 20
"""Most of the likeliest tokens that are reported for a place."""

PIECES_EVERY_S = 0.05
"""A piece for each token would cost several times as much as writing it, and nobody sees the difference."""


@dataclass(slots=True, eq=False)
class Job:
    """A request of the protocol: one text or several by one model.

    Attributes:
        identity: the request's id.
        model: writes the texts.
        requests: the texts' requests to the engine.
        stream: whether the text is sent in pieces.
        corpora: paths of the corpora to compare with.
        longest_copy: how many characters of the corpus a text may repeat.
        load_s: seconds that loading the model took, if the answer has durations and numbers of tokens.
        code_of: returns the code of a text; None: the answer has no codes.
    """

    identity: str
    model: TextModel
    requests: list[Request]
    stream: bool
    corpora: tuple[str, ...] = ()
    longest_copy: int = 0
    load_s: float | None = None
    code_of: Callable[[Sample], str | None] | None = None
    begun: bool = field(init=False, default=False)
    due_s: float = field(init=False, default=0.0)

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
            "training": self.model.manifest.stopped,
        }
        if self.load_s is not None:
            tokenizer = self.requests[0].tokenizer
            answer["tokens"] = [len(tokenizer.encode(first.seed)), len(tokenizer.encode(first.text))]
        if self.code_of is not None:
            answer["receipts"] = [self.code_of(sample) for sample in samples]
        if first.folded:
            answer["folded"] = dict(first.folded)
        if first.never_written:
            answer["never_written"] = list(first.never_written)
        if len(samples) > 1:
            answer["texts"] = [sample.text for sample in samples]
            answer["seeds"] = [sample.seed for sample in samples]
            answer["random_seeds"] = [sample.random_seed for sample in samples]
        return answer

    def piece(self, now_s: float) -> dict[str, Any] | None:
        """Return the part of a streamed text that was not sent yet, or None if there is nothing to send.

        The first part and the last one are sent at once, those between them every `PIECES_EVERY_S`.

        Args:
            now_s: the time in seconds.
        """
        (request,) = self.requests
        if now_s < self.due_s and request.ended is None:
            return None
        piece, scores = request.take(), request.take_scores()
        if not piece and not scores:
            return None
        self.due_s = now_s + PIECES_EVERY_S
        answer: dict[str, Any] = {"id": self.identity, "piece": piece}
        if not self.begun:
            self.begun = True
            answer["seed"] = request.seed
        return answer | ({"scores": list(map(list, scores))} if request.scores else {})


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
    if operation not in ("sample", "score", "who", "cancel", "ping"):
        raise SettingsError(
            f"there is no op {str(operation)[:40]!r}; there are 'sample', 'score', 'who', 'cancel' and 'ping'"
        )
    kinds: dict[str, type] = {"id": str}
    if operation in ("sample", "score"):
        kinds |= {"bundle": str, "seed": str, "settings": dict}
        if "corpus" in request:
            kinds |= {"corpus": str, "longest_copy": int}
        if "original" in request:
            kinds |= {"original": bool}
        if "with" in request:
            check_blend(request["with"])
            kinds |= {"longest_copy": int} if request["with"].get("corpus") is not None else {}
    if operation == "who":
        kinds |= {"bundle": str, "text": str}
    check_number("longest_copy", request.get("longest_copy"), 0, LONGEST_COPY, optional=True)
    for name, kind in kinds.items():
        if not isinstance(request.get(name), kind):
            raise SettingsError(f"the request needs {name!r} as {kind.__name__}")
    check_number("scores", request.get("scores"), 0, MOST_SCORES, optional=operation != "score")
    check_number("tokens", request.get("tokens"), 1, MAXIMUM_LENGTH, optional=True)
    if operation == "sample" and request.get("scores") is not None and request.get("stream") is not True:
        raise SettingsError("scores come with the pieces of a text; the request needs 'stream' as true")
    return request
