"""Whose turn a training is, and what the model wrote along the way."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_turns_and_samples"
down_revision = "20261126_file_removal"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("training_job") as table:
        table.add_column(sa.Column("turn_id", sa.String(length=36), nullable=True))
        table.add_column(sa.Column("samples", sa.Text(), nullable=False, server_default="[]"))
    # Until now the workflow of a job had the job's own id.
    op.execute("UPDATE training_job SET turn_id = id WHERE state = 'training'")


def downgrade() -> None:
    with op.batch_alter_table("training_job") as table:
        table.drop_column("samples")
        table.drop_column("turn_id")
