"""The language of what everyone in a guild reads."""

import sqlalchemy as sa
from alembic import op

revision = "20261202_language"
down_revision = "20261201_games"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("guild_settings") as batch:
        batch.add_column(sa.Column("language", sa.String(16), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("guild_settings") as batch:
        batch.drop_column("language")
