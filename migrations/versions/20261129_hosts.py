"""Processes have names and give signs of life; each attempt of a training has a number."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_hosts"
down_revision = "20261129_pretrained"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "host",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("process_id", sa.String(32), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_host")),
    )
    with op.batch_alter_table("training_job") as batch:
        batch.add_column(sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("training_job") as batch:
        batch.drop_column("attempt")
    op.drop_table("host")
