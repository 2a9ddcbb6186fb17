"""`/game`: *Real or Pastiche?*, a round in a channel, and the scores of those who keep one."""

import discord
import structlog
from discord import app_commands
from discord.ext import commands
from sqlalchemy.orm import Session

from bot.client import Interaction, Pastiche
from bot.commands import autocomplete
from bot.game.cards import question_card, quoted, scores_card
from bot.game.closing import Closer
from bot.game.starting import begin
from bot.guilds.permissions import guild_of
from bot.infra.discord.loops import steadily
from bot.views.answering import Ack, answer, answers
from bot.views.game import SideButton, side_buttons
from models import DatabaseError, GameScore, games

log = structlog.stdlib.get_logger(__name__)

CLOSED_EVERY_S = 3
BEST = 10


@app_commands.guild_only()
class Game(commands.GroupCog, group_name="game", group_description="Real or Pastiche? Who wrote this line?"):
    """The game, and the loop that tells its solutions."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot
        self.closer = Closer(bot, bot.database, lambda: bot.clock(), bot.served)

    async def cog_load(self) -> None:
        """Start the loop."""
        self.tell_solutions.start()

    async def cog_unload(self) -> None:
        """Stop the loop; the rounds stay."""
        self.tell_solutions.cancel()
        await self.closer.close()

    @app_commands.command(description="Guess: is a line real, or did a model write it?")
    @app_commands.describe(model="Whose text it is about (default: any that may be quoted)")
    @app_commands.autocomplete(model=autocomplete.models)
    @answers(Ack.PUBLICLY)
    async def play(
        self, interaction: Interaction, model: app_commands.Range[str, 1, 100] | None = None
    ) -> None:
        """Show a line with its buttons."""
        made = await begin(interaction, model)
        row = made.row
        try:
            message = await answer(
                interaction,
                quoted(made.line),
                embeds=[question_card(row, made.model.name)],
                view=side_buttons(row.id),
            )
        except discord.HTTPException:
            await self.bot.database.call(games.end, row.guild_id, row.id, write=True)
            raise
        await self.bot.database.call(games.sent, row.guild_id, row.id, message.id, write=True)

    @app_commands.command(description="Show the scores of the game, and choose whether yours is kept.")
    @app_commands.describe(keep="True: count my answers from now on. False: delete my score")
    @answers(Ack.PRIVATELY)
    async def scores(self, interaction: Interaction, keep: bool | None = None) -> None:
        """Answer with the best, and with whether the person's answers are counted."""
        guild_id, user_id = guild_of(interaction), interaction.user.id

        def look_up(session: Session) -> tuple[list[GameScore], bool]:
            if keep is not None:
                games.keep_score(session, guild_id, user_id, keep=keep)
            best = list(games.scores(session, guild_id, BEST))
            return best, games.keeps_score(session, guild_id, user_id)

        best, kept = await self.bot.database.call(look_up, write=keep is not None)
        names = await self.bot.names.of_all(guild_id, [score.user_id for score in best])
        await answer(interaction, embeds=[scores_card(best, names, kept=kept)])

    @steadily("solutions of the game", seconds=CLOSED_EVERY_S)
    async def tell_solutions(self) -> None:
        """Tell the solutions that are due; a fault of the database must not end the loop."""
        try:
            await self.closer.tick()
        except DatabaseError as error:
            log.warning("solutions not told this time", error=str(error))

    @tell_solutions.before_loop
    async def _ready(self) -> None:
        await self.bot.wait_until_ready()


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    bot.add_dynamic_items(SideButton)
    await bot.add_cog(Game(bot))
