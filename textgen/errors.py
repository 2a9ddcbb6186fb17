"""What textgen raises for its callers: typed errors whose text is one clear line for a person.

Every message names what was received and what would be accepted. Nothing here knows who prints it.
"""


class TextgenError(Exception):
    """The parent of every error that textgen raises on purpose.

    Args:
        line: the text, or with ``values`` a format of it, so that it can be said in another language too.
        **values: what stands for the names in ``line``.

    Attributes:
        line: as given.
        values: as given.
    """

    def __init__(self, line: str = "", **values: str | int) -> None:
        """Say the line."""
        super().__init__(line.format(**values) if values else line)
        self.line, self.values = line, values


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


def translatable(text: str) -> str:
    """Mark a text that becomes part of an error's line, for whoever collects them to translate."""
    return text


NEVER_SEEN = translatable("the model has never seen {shown}; write the seed with symbols of its corpus")
"""Why a seed is refused."""
