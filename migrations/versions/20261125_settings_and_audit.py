"""More that a guild chooses and a training remembers, and the trail of who changed what."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "20261125_settings_and_audit"
down_revision = "20261124_first_tables"
branch_labels = None
depends_on = None


def _guild_settings() -> list[sa.Column[Any]]:
    return [
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("report_channel_id", sa.BigInteger(), nullable=True),
        sa.Column("hidden_words", sa.Text(), nullable=False, server_default=""),
        sa.Column("longest_copy", sa.Integer(), nullable=False, server_default="50"),
        sa.Column("cooldown_s", sa.Double(), nullable=False, server_default="3"),
        sa.Column("trainings_a_day", sa.Integer(), nullable=False, server_default="20"),
        sa.Column("trainings_a_person", sa.Integer(), nullable=False, server_default="2"),
        sa.Column("schedules", sa.Integer(), nullable=False, server_default="10"),
        sa.Column("timezone", sa.Text(), nullable=False, server_default="UTC"),
        sa.Column("keep_corpora_days", sa.Integer(), nullable=True),
        sa.Column("welcomed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
    ]


GUILD_CHECKS = {
    "longest_copy_not_negative": "longest_copy >= 0",
    "cooldown_not_negative": "cooldown_s >= 0",
    "trainings_a_day_not_negative": "trainings_a_day >= 0",
    "trainings_a_person_not_negative": "trainings_a_person >= 0",
    "schedules_not_negative": "schedules >= 0",
    "keep_corpora_days_not_negative": "keep_corpora_days >= 0",
}


def _training_job() -> list[sa.Column[Any]]:
    return [
        sa.Column("level", sa.Text(), nullable=False, server_default="char"),
        sa.Column("size", sa.Text(), nullable=True),
        sa.Column("validation_corpus_id", sa.Integer(), nullable=True),
        sa.Column("base_model_id", sa.Integer(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False, server_default=""),
        sa.Column("finish_requested", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("curve", sa.Text(), nullable=False, server_default="[]"),
    ]


TRAINING_JOB_KEYS = {"validation_corpus_id": "corpus", "base_model_id": "text_model"}


def upgrade() -> None:
    with op.batch_alter_table("guild_settings") as table:
        for column in _guild_settings():
            table.add_column(column)
        for name, condition in GUILD_CHECKS.items():
            table.create_check_constraint(op.f(f"ck_guild_settings_{name}"), condition)
    with op.batch_alter_table("training_job") as table:
        for column in _training_job():
            table.add_column(column)
        for column_name, other in TRAINING_JOB_KEYS.items():
            table.create_foreign_key(
                op.f(f"fk_training_job_guild_id_{column_name}_{other}"),
                other,
                ["guild_id", column_name],
                ["guild_id", "id"],
            )
    with op.batch_alter_table("corpus", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("text_deleted_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("text_model", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("generations", sa.BigInteger(), nullable=False, server_default="0"))
        table.add_column(sa.Column("imported", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_event_guild_id_created_at"), "audit_event", ["guild_id", "created_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_event_guild_id_created_at"), table_name="audit_event")
    op.drop_table("audit_event")
    with op.batch_alter_table("text_model", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("imported")
        table.drop_column("generations")
    with op.batch_alter_table("corpus", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("text_deleted_at")
    with op.batch_alter_table("training_job") as table:
        for column_name, other in TRAINING_JOB_KEYS.items():
            table.drop_constraint(op.f(f"fk_training_job_guild_id_{column_name}_{other}"), type_="foreignkey")
        for column in reversed(_training_job()):
            table.drop_column(column.name)
    with op.batch_alter_table("guild_settings") as table:
        for name in GUILD_CHECKS:
            table.drop_constraint(op.f(f"ck_guild_settings_{name}"), type_="check")
        for column in reversed(_guild_settings()):
            table.drop_column(column.name)
