"""The button "Recent changes" of the settings' card, and the pages of the audit log that it opens."""

from sqlalchemy.orm import Session

from bot.client import Interaction
from bot.embeds.audit_list import EVENTS_A_PAGE, audit_page, page_count
from bot.guilds.permissions import guild_of, require_manager
from bot.i18n import _, marked
from bot.views.answering import answer
from bot.views.persistent import PageButton, PersistentButton, view_of
from models import AuditEvent, audit


class ChangesButton(PersistentButton, template=r"settings:changes"):
    """Opens the audit log, for managers only; outlives a restart."""

    def __init__(self) -> None:
        super().__init__(_("Recent changes"), "settings:changes", emoji="🕘")

    async def pressed(self, interaction: Interaction) -> None:
        """Answer with the newest changes."""
        await _show_page(interaction, 0)


class ChangesPage(PageButton, template=r"settings:changes:(?P<page>\d{1,4}):(?P<to>[<>])"):
    """Turns the page of the audit log; outlives a restart."""

    PREFIX = "settings:changes"
    LABELS = (marked("Newer"), marked("Older"))

    async def pressed(self, interaction: Interaction) -> None:
        """Show the changes as they are now."""
        await _show_page(interaction, self.page)


async def _show_page(interaction: Interaction, page: int) -> None:
    require_manager(interaction)
    guild_id = guild_of(interaction)

    def look_up(session: Session) -> tuple[int, int, list[AuditEvent]]:
        total = audit.count(session, guild_id)
        shown = min(page, page_count(total) - 1)
        events = audit.listing(session, guild_id, EVENTS_A_PAGE, shown * EVENTS_A_PAGE)
        return total, shown, list(events)

    total, shown, events = await interaction.client.database.call(look_up)
    view = view_of(*ChangesPage.both(shown, page_count(total) - 1))
    names = await interaction.client.names.of_all(guild_id, {event.actor_id for event in events} - {0})
    names[0] = _("The bot, or a deleted person,")
    await answer(interaction, embeds=[audit_page(events, shown, total=total, names=names)], view=view)
