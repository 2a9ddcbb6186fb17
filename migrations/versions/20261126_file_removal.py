"""Files that must go, remembered until they are gone."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_file_removal"
down_revision = "20261125_schedules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file_removal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_removal")),
    )


def downgrade() -> None:
    op.drop_table("file_removal")
