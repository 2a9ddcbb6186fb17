"""`/schedule`: regular posts, shown before they are saved and easy to stop."""

import discord
import structlog
from discord import app_commands
from discord.ext import commands
from sqlalchemy.orm import Session

from bot.client import Interaction, Pastiche
from bot.commands import autocomplete
from bot.embeds.schedule_card import PAUSED, list_cards, preview_card, saved_card
from bot.errors import UnknownModel, UserError
from bot.generation.request import MAX_SEED_CHARACTERS
from bot.guilds import time_zones
from bot.guilds.permissions import guild_of, lacking_to_post, manages_guild, require_scheduler
from bot.guilds.settings import MAX_LENGTH, MAX_TEMPERATURE
from bot.i18n import _
from bot.i18n.retelling import retold
from bot.infra.discord.loops import steadily
from bot.scheduling import confirmation
from bot.scheduling.confirmation import UnknownSchedule, title
from bot.scheduling.parser import read_rule
from bot.scheduling.posting_checks import PostChannel, require_post_allowed
from bot.scheduling.slots import next_slots
from bot.text import safe_text
from bot.views.answering import Ack, answer, answer_privately, answers, within_time
from bot.views.schedule_buttons import DraftButton, StopButton, draft_view, pause
from models import PostState, Schedule, audit, guilds, schedules, text_models

log = structlog.stdlib.get_logger(__name__)

TICK_S = 5
SHOWN_SLOTS = 3
CHOICE_CHARACTERS = 100
POST_PATIENCE_S = 20.0

ScheduleNumber = app_commands.Range[int, 1, 2**31 - 1]


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Schedules(
    commands.GroupCog,
    group_name="schedule",
    group_description="Post texts regularly, in a channel you choose.",
):
    """The commands of schedules, and the loop that posts what is due."""

    def __init__(self, bot: Pastiche) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        """Start the loop that posts what is due."""
        self.post_due.start()

    async def cog_unload(self) -> None:
        """Stop the loop; the schedules stay."""
        self.post_due.cancel()

    @app_commands.command(description="Post texts regularly; shows the next three times before it is saved.")
    @app_commands.describe(
        when="daily 09:00, weekdays 18:30, every monday 08:15, every 6 hours, or cron such as 0 9 * * 1-5",
        timezone="Time zone, such as Europe/Berlin (default: the server's setting)",
        channel="Where to post (default: here)",
        model="Which model (default: the server's default at each time)",
        seed="Text to continue each time (default: a line from the training text)",
        temperature="0 plays it safe, 0.7 reads well, above 1 gets wild",
        length="How many characters to write",
    )
    @app_commands.autocomplete(
        timezone=autocomplete.time_zones_matching, model=autocomplete.models_for_managers
    )
    @answers(Ack.PRIVATELY)
    async def add(
        self,
        interaction: Interaction,
        when: app_commands.Range[str, 1, 100],
        timezone: app_commands.Range[str, 1, 64] | None = None,
        channel: discord.TextChannel | discord.Thread | None = None,
        model: app_commands.Range[str, 1, 100] | None = None,
        seed: app_commands.Range[str, 1, MAX_SEED_CHARACTERS] | None = None,
        temperature: app_commands.Range[float, 0.0, MAX_TEMPERATURE] | None = None,
        length: app_commands.Range[int, 1, MAX_LENGTH] | None = None,
    ) -> None:
        """Check everything, and show a preview of the schedule."""
        require_scheduler(interaction)
        guild_id = guild_of(interaction)
        settings = await self.bot.database.call(guilds.settings_of, guild_id)
        rule = read_rule(when, least_minutes=self.bot.settings.schedule_minutes)
        zone = time_zones.zone_named(timezone) if timezone else time_zones.server_zone(settings.timezone)
        target = require_post_allowed(channel or interaction.channel, settings)
        _require_own_access(interaction, target)
        now = self.bot.poster.now()

        def record(session: Session) -> tuple[Schedule, str | None]:
            confirmation.require_room(session, guild_id, self.bot.settings.max_schedules_per_guild)
            chosen = None if model is None else text_models.by_name(session, guild_id, model)
            if model is not None and chosen is None:
                raise UnknownModel(model)
            draft = schedules.add_draft(
                session,
                guild_id,
                channel_id=target.id,
                created_by=interaction.user.id,
                rule=rule.text,
                timezone=zone.key,
                anchor=now,
                model_id=None if chosen is None else chosen.id,
                seed=seed or "",
                temperature=temperature,
                length=length,
            )
            return draft, None if chosen is None else chosen.name

        draft, name = await self.bot.database.call(record, write=True)
        slots = next_slots(rule, now, zone, draft.anchor, SHOWN_SLOTS)
        card = preview_card(draft, name, slots)
        await answer(interaction, embeds=[card], view=draft_view(draft.id))

    @app_commands.command(name="list", description="Show this server's schedules.")
    @answers(Ack.PRIVATELY)
    async def show(self, interaction: Interaction) -> None:
        """Answer with as many cards as needed."""
        require_scheduler(interaction)
        guild_id = guild_of(interaction)

        def look_up(session: Session) -> tuple[list[Schedule], dict[int, str]]:
            models = {model.id: model.name for model in text_models.listing(session, guild_id)}
            return list(schedules.listing(session, guild_id)), models

        known, models = await self.bot.database.call(look_up)
        if not known:
            raise UserError(_("This server has no schedules yet. Add one: /schedule add"))
        who = {each.paused_by for each in known if each.paused_by is not None}
        names = await self.bot.names.of_all(guild_id, who)
        for card in list_cards(known, models, names):
            await answer_privately(interaction, embed=card)

    @app_commands.command(description="Stop a schedule from posting, until it is resumed.")
    @app_commands.describe(schedule="Which one")
    @answers(Ack.PRIVATELY)
    async def pause(self, interaction: Interaction, schedule: ScheduleNumber) -> None:
        """Pause it."""
        paused = await pause(interaction, schedule, PAUSED, "schedule.paused")
        await answer(interaction, _("**{schedule}** is paused.").format(schedule=safe_text.safe(paused)))

    @app_commands.command(description="Let a paused schedule post again.")
    @app_commands.describe(schedule="Which one")
    @answers(Ack.PRIVATELY)
    async def resume(self, interaction: Interaction, schedule: ScheduleNumber) -> None:
        """Resume it; the person who does so becomes its creator."""
        require_scheduler(interaction)
        resumed, name = await confirmation.resume(interaction, schedule)
        await answer(interaction, embeds=[saved_card(resumed, name)])

    @app_commands.command(description="Delete a schedule.")
    @app_commands.describe(schedule="Which one")
    @answers(Ack.PRIVATELY)
    async def remove(self, interaction: Interaction, schedule: ScheduleNumber) -> None:
        """Delete it with the record of its posts; the posts themselves stay."""
        require_scheduler(interaction)
        guild_id, user = guild_of(interaction), interaction.user

        def remove(session: Session) -> str:
            known = schedules.remove(session, guild_id, schedule)
            if known is None:
                raise UnknownSchedule
            audit.record(session, guild_id, user.id, "schedule.removed", title(known))
            return title(known)

        removed = await self.bot.database.call(remove, write=True)
        await answer(interaction, _("**{schedule}** is removed.").format(schedule=safe_text.safe(removed)))

    @app_commands.command(description="Post once now, besides the planned posts.")
    @app_commands.describe(schedule="Which one")
    @answers(Ack.PRIVATELY)
    async def run(self, interaction: Interaction, schedule: ScheduleNumber) -> None:
        """Post as the schedule would, and report the result."""
        require_scheduler(interaction)
        guild_id = guild_of(interaction)
        known = await self.bot.database.call(schedules.get, guild_id, schedule)
        if known is None:
            raise UnknownSchedule
        post = await self.bot.poster.post_now(
            guild_id, schedule, by=interaction.user.id, wait_s=POST_PATIENCE_S
        )
        if post is None:
            raise UserError(_("This schedule is posting right now."))
        if post.state is PostState.SENT:
            link = f"https://discord.com/channels/{guild_id}/{known.channel_id}/{post.message_id}"
            await answer(interaction, _("Posted: {link}").format(link=link))
        elif post.state.is_final:
            raise UserError(_("Nothing was posted. {reason}").format(reason=retold(post.error)))
        else:
            await answer(
                interaction,
                _("This takes a while. The post will appear in <#{channel}>.").format(
                    channel=known.channel_id
                ),
            )

    @pause.autocomplete("schedule")
    @resume.autocomplete("schedule")
    @remove.autocomplete("schedule")
    @run.autocomplete("schedule")
    async def _complete_schedule(
        self, interaction: Interaction, current: str
    ) -> list[app_commands.Choice[int]]:
        if interaction.guild_id is None or not manages_guild(interaction):
            return []
        known = await within_time(self.bot.database.call(schedules.listing, interaction.guild_id), ())
        typed = current.strip().casefold()
        return [
            app_commands.Choice(name=safe_text.shorten(title(each), CHOICE_CHARACTERS), value=each.id)
            for each in known
            if typed in title(each).casefold()
        ][: autocomplete.CHOICES]

    @steadily("posts", seconds=TICK_S)
    async def post_due(self) -> None:
        """Post what is due."""
        await self.bot.poster.tick()


def _require_own_access(interaction: Interaction, channel: PostChannel) -> None:
    """Check that the person may write there: the bot must not bypass a channel's permissions.

    Raises:
        UserError: they may not.
    """
    person = interaction.user
    if not isinstance(person, discord.Member):
        raise app_commands.NoPrivateMessage
    if lacking_to_post(channel.permissions_for(person), channel, embeds=False):
        raise UserError(
            _(
                "You can only schedule posts where you may write yourself. In <#{channel}> you may not."
            ).format(channel=channel.id)
        )


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    bot.add_dynamic_items(DraftButton, StopButton)
    await bot.add_cog(Schedules(bot))
