"""The bot put together: the client, its command tree and its commands.

`create_bot` gives one that has not been started, for `run`, for tests and for the playground alike.
"""

from bot.client import Pastiche
from bot.commands import COMMAND_MODULES
from bot.infra.configuration import Settings
from bot.views.answering import AnsweringTree
from bot.views.schedule_buttons import post_view


def create_bot(settings: Settings) -> Pastiche:
    """Return a bot that is ready to be started by `start(token)`, or by a simulated Discord.

    Args:
        settings: a token is needed only by who starts it for real.
    """
    return Pastiche(settings, COMMAND_MODULES, AnsweringTree, post_view)
