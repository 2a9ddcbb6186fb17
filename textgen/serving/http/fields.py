"""The fields of a completion request, checked: OpenAI's, and those of `SamplingSettings` beside them.

This module must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from textgen.argument_checks import shown
from textgen.errors import SettingsError
from textgen.sampling.settings import SPOKEN, SamplingSettings
from textgen.serving.http.errors import ApiError, invalid
from textgen.serving.http.options import Limits
from textgen.serving.protocol import MOST_SCORES

# What OpenAI calls the settings that have another name here.
_NAMES = {"seed": "random_seed", "max_tokens": "length", "n": "count"}
_DEFAULTS = SamplingSettings()
_FURTHER = [item.name for item in fields(SamplingSettings) if item.name not in _NAMES.values()]
_OWN = {"model", "prompt", "stream", "stream_options", "logprobs", "echo", "user"}

# Fields that clients send although they mean nothing by them: only the values that change nothing, and what
# is offered in their place.
_NEUTRAL: dict[str, tuple[tuple[Any, ...], str]] = {
    "best_of": ((None, 1), "; `n` is"),
    "frequency_penalty": ((None, 0), "; `repetition_penalty` is"),
    "presence_penalty": ((None, 0), "; `repetition_penalty` is"),
    "logit_bias": ((None, {}), ""),
    "suffix": ((None, ""), ""),
}
_KNOWN = sorted({*_OWN, *_NAMES, *_FURTHER, *_NEUTRAL})


@dataclass(frozen=True, slots=True)
class Completion:
    """A request for completions.

    Attributes:
        model: name of the model.
        prompts: the texts to continue, one at least.
        settings: of the texts of each prompt, ``count`` of them, with a random seed; without the length.
        max_tokens: most tokens of each text; 0 for none.
        stream: whether the texts are sent in pieces.
        usage: whether a stream ends with the numbers of tokens.
        echo: whether each text begins with its prompt.
        logprobs: how many of the likeliest tokens are reported for each place; None for no report.
    """

    model: str
    prompts: tuple[str, ...]
    settings: SamplingSettings
    max_tokens: int
    stream: bool = False
    usage: bool = False
    echo: bool = False
    logprobs: int | None = None


def read(body: object, limits: Limits) -> Completion:
    """Return the request in a parsed body.

    Raises:
        ApiError: a field is unknown, lacks, or has a value that is not accepted.
    """
    if not isinstance(body, dict):
        raise invalid("the body is no JSON object")
    for name in body:
        if name not in _KNOWN:
            raise invalid(
                f"there is no field {shown(name)}; there are {', '.join(_KNOWN)}",
                str(name)[:80],
                "unknown_field",
            )
    for name, (accepted, instead) in _NEUTRAL.items():
        if (value := body.get(name)) not in accepted and not (name == "best_of" and value == body.get("n")):
            raise invalid(f"{name} is not offered{instead}; leave it out", name)
    given = {name: value for name, value in body.items() if value is not None}
    model = given.get("model")
    if not isinstance(model, str):
        raise invalid("the request needs the name of a model in `model`", "model")
    prompts = _prompts(given.get("prompt", ""), limits)
    echo, logprobs = _flag(given, "echo"), _logprobs(given)
    max_tokens = _max_tokens(given, limits, lowest=0 if echo else 1)
    settings = _settings(given)
    if settings.count * len(prompts) > limits.texts:
        raise invalid(
            f"n is {settings.count} for {len(prompts)} prompts; a request may have {limits.texts} texts", "n"
        )
    if logprobs is not None:
        scored = sum(map(len, prompts)) * echo + len(prompts) * max_tokens
        if scored * settings.count * (logprobs + 1) > limits.logprobs:
            raise invalid("these would be too many logprobs; ask for fewer, or for less text", "logprobs")
    stream = _flag(given, "stream")
    usage = _usage(given) and stream
    return Completion(model, prompts, settings, max_tokens, stream, usage, echo, logprobs)


def _prompts(given: object, limits: Limits) -> tuple[str, ...]:
    texts = given if isinstance(given, list) else [given]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise invalid(
            f"prompt is {shown(given)}; it must be a text or a list of texts, not numbers of tokens",
            "prompt",
        )
    longest = max(map(len, texts))
    if longest > limits.prompt_characters:
        raise ApiError(
            413, f"the prompt has {longest:,} characters; at most {limits.prompt_characters:,} are read",
            param="prompt", code="context_length_exceeded",
        )  # fmt: skip
    return tuple(texts)


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise invalid(f"{name} is {shown(value)}; it must be true or false", name)
    return value


def _whole(value: object, name: str, lowest: int, highest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise invalid(
            f"{name} is {shown(value)}; it must be a whole number from {lowest} to {highest:,}", name
        )
    return value


def _logprobs(given: Mapping[str, Any]) -> int | None:
    value = given.get("logprobs")
    # `false` is what chat requests send.
    return None if value is None or value is False else _whole(value, "logprobs", 0, MOST_SCORES)


def _max_tokens(given: Mapping[str, Any], limits: Limits, lowest: int) -> int:
    default = min(_DEFAULTS.length, limits.max_tokens)
    return _whole(given.get("max_tokens", default), "max_tokens", lowest, limits.max_tokens)


def _usage(given: Mapping[str, Any]) -> bool:
    options = given.get("stream_options", {})
    if not isinstance(options, dict) or not set(options) <= {"include_usage", "include_obfuscation"}:
        raise invalid(f"stream_options is {shown(options)}; it may hold include_usage", "stream_options")
    return _flag(options, "include_usage")


def _settings(given: Mapping[str, Any]) -> SamplingSettings:
    """Return the sampling settings; errors name the field of the request, not that of the settings."""
    keywords = {name: given[name] for name in _FURTHER if name in given}
    for name in ("seed", "n"):
        if name in given:
            keywords[_NAMES[name]] = given[name]
    for name, value in keywords.items():
        try:
            SamplingSettings.of({name: value})
        except SettingsError as error:
            field = next((ours for ours, theirs in _NAMES.items() if theirs == name), name)
            raise invalid(str(error).replace(SPOKEN.get(name, name), field, 1), field) from None
    return SamplingSettings.of(keywords).seeded()
