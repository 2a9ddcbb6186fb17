"""A training can fine-tune a pretrained base of the host."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_pretrained"
down_revision = "20261128_installation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("training_job") as batch:
        batch.add_column(sa.Column("pretrained", sa.String(64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("training_job") as batch:
        batch.drop_column("pretrained")
