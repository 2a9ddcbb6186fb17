"""From a request to the parts of its texts, as the engine writes them. This module must not know HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from textgen.sampling.settings import SamplingSettings
from textgen.serving.http.fields import Completion
from textgen.serving.http.options import ServedModel
from textgen.serving.http.sampler import Sampler

Score = Sequence[Any]
"""A token, its length in characters, its logarithm, and the likeliest tokens with theirs."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text.

    Attributes:
        text: what comes behind the parts before.
        scores: the scores of its tokens.
        finish: why the text ends, in OpenAI's words; None before its last part.
        tokens: number of tokens of the prompt and of the text, in the last part.
        random_seed: the text's, in the last part.
        unseen: symbols of the prompt that the model has never seen, in the last part.
    """

    text: str = ""
    scores: list[Score] = field(default_factory=list)
    finish: str | None = None
    tokens: tuple[int, int] = (0, 0)
    random_seed: int = 0
    unseen: tuple[str, ...] = ()


async def write(
    sampler: Sampler, model: ServedModel, asked: Completion, time_limit_s: float
) -> AsyncGenerator[tuple[int, Part], None]:
    """Yield the parts of all texts of a request as they come, each with the number of its text.

    Args:
        sampler: the engine.
        model: the model.
        asked: the request.
        time_limit_s: seconds after which the texts end where they are.

    Raises:
        ApiError: the request is refused.
    """
    parts: asyncio.Queue[tuple[int, Part] | Exception] = asyncio.Queue()

    async def pump(number: int, prompt: str, settings: SamplingSettings) -> None:
        try:
            async with aclosing(_text(sampler, model, asked, prompt, settings)) as text:
                async for part in text:
                    parts.put_nowait((number, part))
        except Exception as error:  # noqa: BLE001 -- it is raised where the parts are read
            parts.put_nowait(error)

    # The random seeds of the texts of a prompt follow one another, as with `textgen sample --count`.
    wanted = [
        (prompt, replace(settings, time_limit_s=min(settings.time_limit_s or time_limit_s, time_limit_s)))
        for prompt in asked.prompts
        for settings in asked.settings.candidates()
    ]
    pumps = [asyncio.create_task(pump(number, *each)) for number, each in enumerate(wanted)]
    try:
        left = len(pumps)
        while left:
            part = await parts.get()
            if isinstance(part, Exception):
                raise part
            left -= part[1].finish is not None
            yield part
    finally:
        for each in pumps:
            each.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _text(
    sampler: Sampler, model: ServedModel, asked: Completion, prompt: str, settings: SamplingSettings
) -> AsyncGenerator[Part, None]:
    """Yield the parts of one text."""
    request: dict[str, Any] = {"bundle": str(model.path), "seed": prompt, "settings": asdict(settings)}
    # Without a prompt the model chooses how the text begins, so the text shows it.
    shows_seed = asked.echo or not prompt
    if shows_seed and (asked.logprobs is not None or not asked.max_tokens):
        scores: list[Score] = []
        async with aclosing(
            sampler.answers({**request, "op": "score", "scores": asked.logprobs or 0})
        ) as told:
            async for answer in told:
                scores += answer.get("scores", [])
        scores = scores if asked.logprobs is not None else []
        if not asked.max_tokens:
            yield Part(answer["seed"], scores, "length", (answer["tokens"][0], 0), settings.random_seed or 0)
            return
        yield Part(answer["seed"], scores)
        shows_seed = False
    request |= {"tokens": asked.max_tokens, "measure": True}
    streamed = asked.stream or asked.logprobs is not None
    if streamed:
        request |= {"stream": True, "scores": asked.logprobs}
    async with aclosing(sampler.answers(request)) as told:
        async for answer in told:
            begin = answer["seed"] if shows_seed and "seed" in answer else ""
            shows_seed = shows_seed and not begin
            if "piece" in answer:
                yield Part(begin + answer["piece"], answer.get("scores", []))
                continue
            yield Part(
                begin + ("" if streamed else answer["text"]),
                finish="stop" if answer["ended"] == "stop" else "length",
                tokens=(answer["tokens"][0], answer["tokens"][1]),
                random_seed=answer["random_seed"],
                unseen=tuple(answer["unseen"]),
            )
