"""The errors of textgen. The text of each is one line for a person.

It names what was received and what would be accepted. Nothing here knows who prints it.
"""

import re
from collections.abc import Container, Sequence

_FLAG = re.compile(r"--[a-z]+(?:-[a-z]+)*")
_KEYWORDS = {"--vocab-size": "vocabulary_size"}


def _keyword(flag: re.Match[str]) -> str:
    """Return the library's keyword for a flag of the command."""
    return _KEYWORDS.get(flag[0], flag[0][2:].replace("-", "_"))


class TextgenError(Exception):
    """The base class of every error that textgen raises on purpose.

    The advice in its text names keywords of the library. The command shows `with_flags` instead, and a
    program that has neither keywords nor flags shows `plain`.

    Args:
        line: the message. With ``values`` it is a format, so that it can be translated.
        advice: what the user can do, each with its flags, for example "give --encoding NAME".
        **values: the values of the names in ``line`` and ``advice``.

    Attributes:
        line: as given.
        advice: as given, with the values filled in.
        values: as given.
        plain: the message without advice.

    Example:
        >>> try:
        ...     textgen.load("missing")
        ... except textgen.TextgenError as error:
        ...     print(error)
        missing is not there; a bundle is a folder, for example DIR/model after `textgen train`
    """

    def __init__(self, line: str = "", *, advice: Sequence[str] = (), **values: str | int) -> None:
        """Fill in the values."""
        self.line, self.values = line, values
        self.plain = line.format(**values) if values else line
        self.advice = tuple(way.format(**values) if values else way for way in advice)
        super().__init__(_FLAG.sub(_keyword, self._with(self.advice)))

    def with_flags(self, flags: Container[str]) -> str:
        """Return the text with the advice that a command's user can follow.

        Args:
            flags: all flags of the command, for example "--encoding".
        """
        return self._with([way for way in self.advice if all(flag in flags for flag in _FLAG.findall(way))])

    def _with(self, ways: Sequence[str]) -> str:
        return f"{self.plain}; {', or '.join(ways)}" if ways else self.plain


class CorpusError(TextgenError):
    """A corpus cannot be read, or is not fit for training.

    Example:
        >>> textgen.train("missing.txt")
        Traceback (most recent call last):
        textgen.errors.CorpusError: missing.txt ...
    """


class SettingsError(TextgenError):
    """A setting or a prompt is not accepted.

    Example:
        >>> textgen.SamplingSettings(length=0)
        Traceback (most recent call last):
        textgen.errors.SettingsError: length is 0; it must be a whole number from 1 to 1,000,000
    """


class BundleError(TextgenError):
    """A bundle is absent, damaged, hostile, or of a newer format.

    Example:
        >>> textgen.load("plays")
        Traceback (most recent call last):
        textgen.errors.BundleError: plays/manifest.json is not there; the bundle is not complete
    """


class TrainingError(TextgenError):
    """A training cannot start or cannot continue.

    Example:
        >>> textgen.train("plays", output="plays")
        Traceback (most recent call last):
        textgen.errors.TrainingError: plays holds input.txt and is no bundle; ...
    """


class TrainingInterruptedError(TrainingError):
    """A training was cancelled; its checkpoint is kept.

    Example:
        >>> control = textgen.Control()  # another thread can call control.cancel()
        >>> try:
        ...     result = textgen.train("plays", output="model", time_limit=3, control=control)
        ... except textgen.TrainingInterruptedError:
        ...     print("start it again with resume=True")
    """


class OutOfMemoryError(TrainingError):
    """The memory of the machine or of its GPU is too small for a training.

    Example:
        >>> try:
        ...     result = textgen.train("plays", output="model", time_limit=3)
        ... except textgen.OutOfMemoryError:
        ...     result = textgen.train("plays", output="model", time_limit=3, half_batch=True)
    """


def translatable(text: str) -> str:
    """Mark a text that is part of an error's message, for the tool that collects texts to translate."""
    return text


NEVER_SEEN = translatable("the model has never seen {shown}; write the seed with symbols of its corpus")
"""Why a seed is refused."""

DIFFERENT_TOKENS = translatable(
    "a model of level {first} and one of level {second} have different tokens; two models of level char can "
    "be blended, and others whose tokens are equal"
)
"""Why a blend is refused."""
