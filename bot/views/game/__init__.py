"""The buttons below a line of the game *Real or Pastiche?*."""

import discord
from sqlalchemy.orm import Session

from bot.client import Interaction
from bot.errors import UserError
from bot.guilds.permissions import guild_of
from bot.i18n import _
from bot.views.answering import answer
from bot.views.persistent import PersistentButton, view_of
from models import games


class SideButton(PersistentButton, template=r"game:(?P<round_id>\d{1,18}):(?P<side>real|pastiche)"):
    """Records what a person says of a line, once; outlives a restart.

    Args:
        round_id: id of the round.
        side: "real" or "pastiche".
    """

    def __init__(self, round_id: int, side: str) -> None:
        self.round_id, self.says_real = round_id, side == "real"
        super().__init__(
            _side(real=self.says_real),
            f"game:{round_id}:{side}",
            discord.ButtonStyle.primary,
            emoji="📖" if self.says_real else "🎭",
        )

    async def pressed(self, interaction: Interaction) -> None:
        """Record the answer, which nobody else sees."""
        guild_id, user_id = guild_of(interaction), interaction.user.id
        bot = interaction.client

        def record(session: Session) -> tuple[bool | None, bool]:
            row = games.get(session, guild_id, self.round_id)
            if row is None or row.closes_at <= bot.clock():
                raise UserError(_("This round is over."))
            before = games.answer(session, guild_id, row.id, user_id, says_real=self.says_real)
            return before, games.keeps_score(session, guild_id, user_id)

        before, kept = await bot.database.call(record, write=True)
        if before is not None:
            raise UserError(_("You have already answered: {side}.").format(side=_side(real=before)))
        line = _("You say: {side}. The solution comes within a minute.").format(
            side=_side(real=self.says_real)
        )
        if not kept:
            line += "\n-# " + _("Your answers are not counted: `/game scores keep: True` counts them.")
        await answer(interaction, line)


def side_buttons(round_id: int) -> discord.ui.View:
    """The buttons of a round."""
    return view_of(SideButton(round_id, "real"), SideButton(round_id, "pastiche"))


def _side(*, real: bool) -> str:
    return _("Real") if real else _("Pastiche")
