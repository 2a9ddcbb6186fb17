"""Who paused a schedule is an id: a name in the reason outlived the deletion of its person's data."""

import sqlalchemy as sa
from alembic import op

revision = "20261128_paused_by"
down_revision = "20261128_relative_paths"
branch_labels = None
depends_on = None

# Whose name it was cannot be told from the reason any more.
_WITHOUT_NAME = {
    "Paused by %.": "Paused by hand.",
    "Stopped by % with the button of a post.": "Stopped by hand with the button of a post.",
}


def upgrade() -> None:
    with op.batch_alter_table("schedule") as batch:
        batch.add_column(sa.Column("paused_by", sa.BigInteger(), nullable=True))
    schedule = sa.table("schedule", sa.column("paused_reason"))
    for named, without in _WITHOUT_NAME.items():
        op.execute(
            sa.update(schedule).where(schedule.c.paused_reason.like(named)).values(paused_reason=without)
        )


def downgrade() -> None:
    with op.batch_alter_table("schedule") as batch:
        batch.drop_column("paused_by")
