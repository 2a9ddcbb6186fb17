"""What a person types costs the bot time that grows with its length, not with the square of it."""

from collections.abc import Callable

import pytest

from bot.commands.generate import _DISCORD_MARKUP
from bot.embeds import sample_message
from bot.guilds import time_zones
from bot.scheduling import parser
from bot.text import safe_text, splitting
from bot.text.hidden_words import hide
from models import text_models
from tests.support.growth import slow_families

LONGEST = 8_000
HIDDEN = "aa\nab ab\n!!\n漢"

FUNCTIONS: dict[str, Callable[[str], object]] = {
    "safe": safe_text.safe,
    "safe within": lambda text: safe_text.safe_within(text, 1_500),
    "plain": safe_text.plain,
    "unescape": safe_text.unescape,
    "beginning": lambda text: splitting.beginning(text, len(text)),
    "pieces": lambda text: splitting.pieces(text, 1_900, 5),
    "ending": lambda text: splitting.ending(text, len(text) - 1),
    "hide": lambda text: hide(text, HIDDEN),
    "seed": sample_message.bold_seed,
    "parted": lambda text: sample_message._parted(f"**{text}"),
    "markup": lambda text: _DISCORD_MARKUP.sub("", text),
    "rule": parser.read_rule,
    "zone": time_zones.zone_named,
    "name": text_models.clean_name,
    "name's key": text_models.key_of,
}


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_time_grows_with_the_length(function: Callable[[str], object]) -> None:
    assert not slow_families(function, most=LONGEST)
