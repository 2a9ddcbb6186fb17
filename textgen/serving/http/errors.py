"""Errors of the HTTP service, in OpenAI's form."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A request cannot be answered.

    Attributes:
        status: HTTP status.
        message: one line for people.
        code: a name for programs; None where the status says it all.
        param: the field of the request that is at fault.
        retry_after_s: seconds after which it is worth another try; None for never.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        """Keep what is answered."""
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param
        self.retry_after_s = retry_after_s

    @property
    def kind(self) -> str:
        """The ``type`` that OpenAI's clients know for this status."""
        if self.status in _KINDS:
            return _KINDS[self.status]
        return "server_error" if self.status >= 500 else "invalid_request_error"

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers that belong to the error."""
        if self.status == 401:
            return {"WWW-Authenticate": "Bearer"}
        return {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer."""
        told = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return {"error": told}


_KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Return the error of a field that is not accepted."""
    return ApiError(400, message, param=param, code=code)


def unknown_model(name: str, names: list[str]) -> ApiError:
    """Return the error of a model that is not served."""
    return ApiError(
        404, f"the model {name[:80]!r} is not served here; there are {', '.join(names)}",
        param="model", code="model_not_found",
    )  # fmt: skip


def ending() -> ApiError:
    """Return the error of a request that the end of the service cuts off."""
    return ApiError(503, "the service is ending; try again later", code="shutting_down", retry_after_s=5)
