"""The bodies of answers, in OpenAI's form: completions, chunks of a stream, models."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from typing import Any

from textgen.serving.http.options import ServedModel
from textgen.serving.http.writing import Part, Score


@dataclass(slots=True)
class Body:
    """Builds the answer to one request.

    Attributes:
        model: name of the model.
        texts: number of texts.
        texts_a_prompt: number of texts that continue the same prompt.
        logprobs: how many of the likeliest tokens are shown; None for no logarithms at all.
    """

    model: str
    texts: int
    texts_a_prompt: int
    logprobs: int | None
    _head: dict[str, Any] = field(init=False)
    _shown: list[int] = field(init=False)
    _tokens: list[tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        """Name the answer."""
        self._head = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": self.model,
        }
        self._shown = [0] * self.texts
        self._tokens = [(0, 0)] * self.texts

    @property
    def usage(self) -> dict[str, int]:
        """The numbers of tokens. A prompt that several texts continue counts once."""
        prompts = sum(prompt for prompt, _ in self._tokens[:: self.texts_a_prompt])
        written = sum(text for _, text in self._tokens)
        return {
            "prompt_tokens": prompts,
            "completion_tokens": written,
            "total_tokens": prompts + written,
        }

    def choice(self, number: int, part: Part) -> dict[str, Any]:
        """Return one part of a text as an element of ``choices``."""
        choice: dict[str, Any] = {
            "text": part.text,
            "index": number,
            "logprobs": None if self.logprobs is None else self._logprobs(number, part.scores),
            "finish_reason": part.finish,
        }
        if part.finish is not None:
            self._tokens[number] = part.tokens
            choice["seed"] = part.random_seed
            if part.unseen:
                choice["unseen"] = list(part.unseen)
        return choice

    def chunk(self, choices: list[dict[str, Any]], **further: Any) -> dict[str, Any]:
        """Return one event of a stream."""
        return {**self._head, "choices": choices, **further}

    def whole(self, parts: list[list[Part]]) -> dict[str, Any]:
        """Return the whole answer.

        Args:
            parts: the parts of each text.
        """
        choices = []
        for number, each in enumerate(parts):
            text = "".join(part.text for part in each)
            scores = [score for part in each for score in part.scores]
            choices.append(self.choice(number, replace(each[-1], text=text, scores=scores)))
        return self.chunk(choices, usage=self.usage)

    def _logprobs(self, number: int, scores: list[Score]) -> dict[str, Any]:
        offsets = []
        for _, length, _, _ in scores:
            offsets.append(self._shown[number])
            self._shown[number] += length
        tops = [top or None for *_, top in scores] if self.logprobs else None
        return {
            "tokens": [token for token, *_ in scores],
            "token_logprobs": [logarithm for _, _, logarithm, _ in scores],
            "top_logprobs": tops,
            "text_offset": offsets,
        }


def of_model(model: ServedModel) -> dict[str, Any]:
    """Return a model as an element of ``/v1/models``."""
    return {"id": model.name, "object": "model", "created": model.created, "owned_by": "textgen"}
