"""Texts and bundles have a size, so that what a server stores is one sum. Old files are measured later."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_sizes"
down_revision = "20261129_hosts"
branch_labels = None
depends_on = None

TABLES = ("corpus", "text_model")


def upgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("size", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("size")
