"""Who is let in: the key, the names of this host, and the form of every error."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from textgen.serving.http.errors import ApiError
from textgen.serving.http.metrics import Metrics
from textgen.serving.http.options import LOOPBACK

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_OPEN = "/healthz"


def answer_of(error: ApiError) -> web.Response:
    """Return an error as an HTTP answer."""
    return web.json_response(error.as_json(), status=error.status, headers=error.headers)


def errors_as_json(metrics: Metrics) -> Middleware:
    """Return a middleware that answers every error in OpenAI's form, and counts every answer."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "other"
        try:
            response = await handler(request)
        except ApiError as error:
            response = answer_of(error)
        except web.HTTPException as error:
            response = answer_of(_in_our_form(error, request))
        except Exception:
            request.app.logger.exception("unexpected error")
            response = answer_of(ApiError(500, "something went wrong here; the service's log says what"))
        metrics.answered(route, response.status)
        return response

    return middleware


def only_with_key(key: str | None) -> Middleware:
    """Return a middleware that lets in who shows the key; without one, whoever is no web page of others."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != _OPEN:
            if key is None:
                _refuse_web_pages(request)
            else:
                _check_key(request, key)
        return await handler(request)

    return middleware


def _check_key(request: web.Request, key: str) -> None:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not shown.strip():
        raise ApiError(401, "a key is needed: send it as `Authorization: Bearer KEY`", code="invalid_api_key")
    # Compared in constant time, so that a wrong key tells nothing of the right one.
    if not hmac.compare_digest(shown.strip().encode("utf-8", "surrogateescape"), key.encode()):
        raise ApiError(401, "the key is wrong", code="invalid_api_key")


def _refuse_web_pages(request: web.Request) -> None:
    """Refuse what a browser sends for a page of others: without a key, every page could ask.

    A page may also give its own name this host's address; then the header Host has that name.
    """
    host = urlsplit(f"//{request.host}").hostname
    if host not in LOOPBACK:
        raise ApiError(403, f"without a key, only requests to {', '.join(LOOPBACK)} are answered")
    if "Origin" in request.headers:
        raise ApiError(403, "without a key, requests of web pages are not answered")


def _in_our_form(error: web.HTTPException, request: web.Request) -> ApiError:
    if error.status == 404:
        return ApiError(404, f"there is no {request.path[:80]!r}; there is /v1/completions", code="not_found")
    if error.status == 405:
        return ApiError(
            405, f"{request.path[:80]} does not take {request.method[:20]}", code="method_not_allowed"
        )
    return ApiError(error.status, error.reason.lower())
