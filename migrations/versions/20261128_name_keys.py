"""Names are compared without what nobody sees: keys made before may hold it."""

import sqlalchemy as sa
from alembic import op

from models.tables import NAME_CHARACTERS
from models.training.names import key_of

revision = "20261128_name_keys"
down_revision = "20261126_turns_and_samples"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = sa.table(
        "text_model", *(sa.column(name) for name in ("id", "guild_id", "name", "name_key", "updated_at"))
    )
    rows = op.get_bind().execute(sa.select(table).order_by(table.c.id)).all()
    taken: set[tuple[int, str]] = set()
    # Those that keep their key come first, so that no key is taken while another row has it.
    for row in sorted(rows, key=lambda row: (key_of(row.name) != row.name_key, row.id)):
        name, number = row.name, 1
        while (row.guild_id, key_of(name)) in taken:
            number += 1
            name = f"{row.name[: NAME_CHARACTERS - 4]} {number}"
        taken.add((row.guild_id, key_of(name)))
        if (name, key_of(name)) != (row.name, row.name_key):
            op.execute(sa.update(table).where(table.c.id == row.id).values(name=name, name_key=key_of(name)))


def downgrade() -> None:
    """Keys of the new kind are found by the old code as well as any."""
