"""The routes of the service: each handler reads a request, has it written, and sends the answer."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing, suppress
from typing import Any

from aiohttp import web

from textgen.serving.http import fields
from textgen.serving.http.access import errors_as_json, only_with_key
from textgen.serving.http.admission import Admission
from textgen.serving.http.bodies import Body, of_model
from textgen.serving.http.errors import ApiError, invalid, unknown_model
from textgen.serving.http.metrics import CONTENT_TYPE, Metrics
from textgen.serving.http.options import Options, ServedModel
from textgen.serving.http.sampler import Samplers
from textgen.serving.http.writing import Part, write

_DONE = b"data: [DONE]\n\n"
_LAST_WORD_S = 2.0
_CLIENT_LEFT = 499


class Service:
    """The service: its engines, its limits, its figures, and its handlers."""

    def __init__(self, options: Options, samplers: Samplers) -> None:
        """Prepare; the loop of asyncio must run already."""
        self._options, self._samplers = options, samplers
        self.admission = Admission(options.limits)
        self.metrics = Metrics(options.models, self.admission, samplers)

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(
            client_max_size=self._options.limits.body_bytes,
            middlewares=[errors_as_json(self.metrics), only_with_key(self._options.key)],
        )
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{name}", self._model)
        app.router.add_post("/v1/completions", self._completions)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        return app

    async def _models(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"object": "list", "data": [of_model(model) for model in self._options.models.values()]}
        )

    async def _model(self, request: web.Request) -> web.Response:
        return web.json_response(of_model(self._found(request.match_info["name"])))

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    async def _healthz(self, _request: web.Request) -> web.Response:
        closing = self.admission.closing
        return web.json_response({"status": "ending" if closing else "ok"}, status=503 if closing else 200)

    def _found(self, name: str) -> ServedModel:
        models = self._options.models
        if name not in models:
            raise unknown_model(name, list(models))
        return models[name]

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        begun = time.monotonic()
        self.admission.check()
        asked = fields.read(await self._body(request), self._options.limits)
        model = self._found(asked.model)
        count = asked.settings.count
        body = Body(model.name, len(asked.prompts) * count, count, asked.logprobs)
        answer = _Stream(request) if asked.stream else None
        sampler = None
        try:
            async with self.admission.turn() as left_s:
                sampler = self._samplers.least_busy()
                parts: list[list[Part]] = [[] for _ in range(body.texts)]
                async with aclosing(write(sampler, model, asked, left_s)) as written:
                    first = True
                    async for number, part in written:
                        if first:
                            first = False
                            self.metrics.first_part(time.monotonic() - begun)
                        if answer is None:
                            parts[number].append(part)
                        elif part.text or part.scores or part.finish:
                            await answer.send(body.chunk([body.choice(number, part)]))
                whole = body.whole(parts) if answer is None else None
                self.metrics.completed(model.name, body.texts, body.usage, time.monotonic() - begun)
                if answer is None:
                    return web.json_response(whole)
                return await answer.end(body.chunk([], usage=body.usage) if asked.usage else None)
        except ApiError as error:
            if error.status == 504 and sampler is not None:
                # It did not even end at the time limit that it was given.
                sampler.restart()
            if answer is None or not answer.begun:
                raise
            return await answer.fail(error)
        except ConnectionError:
            # The client has left. What is returned here reaches nobody.
            return web.Response(status=_CLIENT_LEFT)

    async def _body(self, request: web.Request) -> Any:
        limits = self._options.limits
        too_large = ApiError(413, f"the body is too large; at most {limits.body_bytes:,} bytes are read")
        if (request.content_length or 0) > limits.body_bytes:
            raise too_large
        try:
            async with asyncio.timeout(limits.idle_s):
                data = await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise too_large from None
        except TimeoutError:
            raise ApiError(408, f"the body did not arrive within {limits.idle_s:g} s") from None
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise invalid("the body is no JSON") from None


class _Stream:
    """An answer as server-sent events. The first event begins it: an error before that has its own status."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._response: web.StreamResponse | None = None

    @property
    def begun(self) -> bool:
        """Whether an event was sent."""
        return self._response is not None

    async def send(self, event: dict[str, Any]) -> None:
        """Send an event."""
        await (await self._prepared()).write(b"data: " + json.dumps(event).encode() + b"\n\n")

    async def end(self, last: dict[str, Any] | None) -> web.StreamResponse:
        """Send the last event and the end."""
        if last is not None:
            await self.send(last)
        response = await self._prepared()
        await response.write(_DONE)
        return response

    async def fail(self, error: ApiError) -> web.StreamResponse:
        """Tell the client why the stream ends here, if the client still reads."""
        response = await self._prepared()
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_LAST_WORD_S):
                await self.send(error.as_json())
        response.force_close()
        return response

    async def _prepared(self) -> web.StreamResponse:
        if self._response is None:
            self._response = web.StreamResponse(
                headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
            )
            await self._response.prepare(self._request)
        return self._response
