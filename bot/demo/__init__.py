"""The offline playground: the real bot in a simulated Discord.

`from bot.demo import simulated_bot` is a name that other programs may rely on, beside `bot.app.create_bot`
and `bot.settings.Settings`.
"""

from bot.demo.playground import simulated_bot

__all__ = ["simulated_bot"]
