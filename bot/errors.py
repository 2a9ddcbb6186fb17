"""The bot's own errors: what a person can put right, and what `bot.views.error_messages` has a line for."""

from collections.abc import Mapping


class UserError(Exception):
    """Something a person can put right; `str()` is one clear line for them."""


class PermissionRefused(UserError):
    """The person may not do this here."""


class UnknownModel(UserError):
    """No model of that name here; a model of another server gets the same words.

    Args:
        name: as a person typed it; None where a button or a setting named a model by its id.
    """

    def __init__(self, name: str | None) -> None:
        super().__init__(name)
        self.name = name


class NoModels(UserError):
    """The server has no model yet."""


class SamplerUnavailable(UserError):
    """The sampler process did not answer."""


class SampleRefused(UserError):
    """The sampler answered that it cannot do this: a character the model never saw, a broken bundle.

    Args:
        message: the sampler's own words.
        line: where those were put together, their format.
        values: what stands for the names in it.
        passing: it is not about what was asked for; a bundle was replaced at this moment, say.
    """

    def __init__(
        self,
        message: str,
        line: str = "",
        values: Mapping[str, str | int] | None = None,
        *,
        passing: bool = False,
    ) -> None:
        super().__init__(message)
        self.line, self.values = line or message, values or {}
        self.passing = passing
