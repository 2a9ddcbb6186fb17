"""What is looked for every few seconds, or across all servers, is found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_growth"
down_revision = "20261130_sizes"
branch_labels = None
depends_on = None

PARTIAL = (
    (
        "ix_training_job_changed",
        "training_job",
        ["updated_at", "id", "channel_id", "guild_id"],
        "shown_revision < revision",
        None,
    ),
    ("ix_training_job_ended", "training_job", ["guild_id", "finished_at"], "started_at IS NOT NULL", None),
    ("ix_schedule_to_tell", "schedule", ["updated_at", "id"], "notice_due", "notice_due = 1"),
    ("ix_corpus_stored", "corpus", ["guild_id", "created_at"], "text_deleted_at IS NULL", None),
)
WHOLE = (
    ("ix_training_job_guild_id_corpus_id", "training_job", ["guild_id", "corpus_id"]),
    ("ix_training_job_guild_id_validation_corpus_id", "training_job", ["guild_id", "validation_corpus_id"]),
)


def upgrade() -> None:
    for name, table, columns, where, on_sqlite in PARTIAL:
        op.create_index(
            name,
            table,
            columns,
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(on_sqlite or where),
        )
    for name, table, columns in WHOLE:
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, *_ in (*PARTIAL, *WHOLE):
        op.drop_index(name, table)
