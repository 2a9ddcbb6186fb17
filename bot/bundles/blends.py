"""Which models of a server fit each other in a blend, and what a blend is called.

Rows tell nearly all of it. Whether two models of words or subwords have the same tokens, their bundles know.
"""

from collections.abc import Iterable

from bot.errors import UserError
from bot.i18n import _
from bot.infra.storage.errors import Damaged
from bot.infra.storage.storage import Storage
from bot.text import card_style, safe_text
from models import TextModel
from textgen.errors import BundleError
from textgen.files.fingerprint import claimed_tokenizer
from textgen.levels import CHAR

SHOWN_NAMES = 10
SHOWN_CHARACTERS = 60


class Unfit(UserError):
    """Two models cannot be blended.

    Args:
        model: the first one.
        other: the second one.
        fitting: models of the server that the first one can be blended with.
    """

    def __init__(self, model: TextModel, other: TextModel, fitting: Iterable[TextModel]) -> None:
        names = [f"“{_shown(each)}”" for each in fitting]
        told = _("“{other}” cannot be blended with “{model}”, because their tokens are not the same.").format(
            other=_shown(other), model=_shown(model)
        )
        if names:
            more = ", …" if len(names) > SHOWN_NAMES else ""
            told += " " + _("These models of this server fit: {names}.").format(
                names=", ".join(names[:SHOWN_NAMES]) + more
            )
        else:
            told += " " + _("No other model of this server fits.")
        super().__init__(told)


def name_of_blend(model: TextModel, other: TextModel, mix: float) -> str:
    """What people read where else a model's name stands; it says how to ask for the same blend."""
    return _("{model} with {other} (mix {mix})").format(
        model=model.name, other=other.name, mix=card_style.decimal(mix)
    )


def may_fit(model: TextModel, other: TextModel) -> bool:
    """Whether two models can be blended, as far as their rows tell."""
    if model.level != other.level:
        return False
    return model.level == CHAR.name or model.vocabulary == other.vocabulary


def fitting(model: TextModel, models: Iterable[TextModel], storage: Storage) -> list[TextModel]:
    """Return the models that can be blended with one, in their order; blocks.

    Args:
        model: the one.
        models: all models of its server.
        storage: has their bundles.
    """
    others = [other for other in models if other.id != model.id and may_fit(model, other)]
    if model.level == CHAR.name or not others:
        return others
    own = _tokenizer(model, storage)
    return [other for other in others if own is not None and _tokenizer(other, storage) == own]


def _tokenizer(model: TextModel, storage: Storage) -> str | None:
    try:
        with storage.lease(model.bundle_path) as bundle:
            return claimed_tokenizer(bundle)
    except (BundleError, OSError, Damaged):
        return None


def _shown(model: TextModel) -> str:
    return safe_text.safe(safe_text.shorten(model.name, SHOWN_CHARACTERS))
