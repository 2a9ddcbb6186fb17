"""What textgen raises for its callers: typed errors whose text is one clear line for a person.

Every message names what was received and what would be accepted. Nothing here knows who prints it.
"""


class TextgenError(Exception):
    """The parent of every error that textgen raises on purpose."""


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
