"""Paths of texts and models relative to the data directory, so that it can be moved."""

from pathlib import PurePath

import sqlalchemy as sa
from alembic import op

revision = "20261128_relative_paths"
down_revision = "20261128_name_keys"
branch_labels = None
depends_on = None

# Where each table's files lie in their guild's folder.
COLUMNS = (("text_model", "bundle_path", "models"), ("corpus", "path", "corpora"))


def upgrade() -> None:
    connection = op.get_bind()
    for name, column, folder in COLUMNS:
        table = sa.table(name, sa.column("id"), sa.column("guild_id"), sa.column(column))
        rows = sa.select(table.c.id, table.c.guild_id, table.c[column])
        for row_id, guild_id, path in connection.execute(rows).all():
            # The data directory may have been moved before, so only the end of the path counts.
            parts = PurePath(path).parts[-4:]
            if parts[:-1] == ("guilds", str(guild_id), folder):
                change = sa.update(table).where(table.c.id == row_id).values({column: "/".join(parts)})
                connection.execute(change)


def downgrade() -> None:
    """Relative paths stay: where the data directory is stands nowhere in the database."""
