"""When the database was made: older files in the data directory are those of another one."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "20261128_installation"
down_revision = "20261128_paused_by"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    connection = op.get_bind()
    # A database that is in use already has files of any age.
    used = any(
        connection.execute(sa.select(sa.table(name, sa.column("guild_id")).c.guild_id).limit(1)).first()
        for name in ("corpus", "text_model", "training_job")
    )
    installation = sa.table(
        "installation", sa.column("id"), sa.column("created_at", sa.DateTime(timezone=True))
    )
    made = datetime.fromtimestamp(0, UTC) if used else datetime.now(UTC)
    op.execute(sa.insert(installation).values(id=1, created_at=made))


def downgrade() -> None:
    op.drop_table("installation")
