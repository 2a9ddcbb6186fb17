"""What textgen raises for its callers: typed errors whose text is one clear line for a person.

Every message names what was received and what would be accepted. Nothing here knows who prints it.
"""

import re
from collections.abc import Container, Sequence

_FLAG = re.compile(r"--[a-z]+(?:-[a-z]+)*")
_KEYWORDS = {"--vocab-size": "vocabulary_size"}


def _keyword(flag: re.Match[str]) -> str:
    """Return the library's name of a flag."""
    return _KEYWORDS.get(flag[0], flag[0][2:].replace("-", "_"))


class TextgenError(Exception):
    """The parent of every error that textgen raises on purpose.

    Its text names keywords of the library where there is a way out; a command says `with_flags` instead,
    and whoever has neither says `plain`.

    Args:
        line: the text, or with ``values`` a format of it, so that it can be said in another language too.
        advice: ways out, each with its flags, as "give --encoding NAME".
        **values: what stands for the names in ``line`` and ``advice``.

    Attributes:
        line: as given.
        advice: the ways out, with their values.
        values: as given.
        plain: the text without advice.
    """

    def __init__(self, line: str = "", *, advice: Sequence[str] = (), **values: str | int) -> None:
        """Say the line."""
        self.line, self.values = line, values
        self.plain = line.format(**values) if values else line
        self.advice = tuple(way.format(**values) if values else way for way in advice)
        super().__init__(_FLAG.sub(_keyword, self._with(self.advice)))

    def with_flags(self, flags: Container[str]) -> str:
        """Return the text with the ways out that a command has.

        Args:
            flags: of the command, as "--encoding".
        """
        return self._with([way for way in self.advice if all(flag in flags for flag in _FLAG.findall(way))])

    def _with(self, ways: Sequence[str]) -> str:
        return f"{self.plain}; {', or '.join(ways)}" if ways else self.plain


class CorpusError(TextgenError):
    """A corpus cannot be read, or cannot be trained on."""


class SettingsError(TextgenError):
    """A setting, or a seed text, lies outside what is accepted."""


class BundleError(TextgenError):
    """A bundle is absent, damaged, hostile, or of a newer format."""


class TrainingError(TextgenError):
    """A training cannot start or cannot go on."""


class TrainingInterruptedError(TrainingError):
    """A training was stopped before its end; its checkpoint is kept."""


class OutOfMemoryError(TrainingError):
    """The memory of the machine, or of its GPU, is too small for a training."""


def translatable(text: str) -> str:
    """Mark a text that becomes part of an error's line, for whoever collects them to translate."""
    return text


NEVER_SEEN = translatable("the model has never seen {shown}; write the seed with symbols of its corpus")
"""Why a seed is refused."""
