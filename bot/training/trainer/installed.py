"""Whether this installation can train: the image of the bot cannot."""

from importlib.util import find_spec

from bot.settings import SettingsError


def require_trainer() -> None:
    """Check that what the trainer process needs is installed, without loading it.

    Raises:
        SettingsError: it is not.
    """
    if find_spec("keras") is None:
        raise SettingsError(
            "this installation cannot train, because Keras is not part of it: "
            "set PASTICHE_JOBS=elsewhere for the bot, and run workers from the image pastiche:cpu or "
            "pastiche:gpu"
        )
