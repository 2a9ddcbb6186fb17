"""Schedules and their posts."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_schedules"
down_revision = "20261125_settings_and_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schedule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("anchor", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("temperature", sa.Double(), nullable=True),
        sa.Column("length", sa.Integer(), nullable=True),
        sa.Column("next_slot", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_reason", sa.Text(), nullable=False),
        sa.Column("notice_due", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'active', 'paused')", name=op.f("ck_schedule_state_known")),
        sa.CheckConstraint(
            "(state = 'active') = (next_slot IS NOT NULL)", name=op.f("ck_schedule_active_has_next_slot")
        ),
        sa.CheckConstraint("temperature >= 0", name=op.f("ck_schedule_temperature_not_negative")),
        sa.CheckConstraint("length > 0", name=op.f("ck_schedule_length_positive")),
        sa.ForeignKeyConstraint(
            ["guild_id", "model_id"],
            ["text_model.guild_id", "text_model.id"],
            name=op.f("fk_schedule_guild_id_model_id_text_model"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
        sa.UniqueConstraint("guild_id", "id", name=op.f("uq_schedule_guild_id_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_schedule_next_slot"), "schedule", ["next_slot"])
    op.create_table(
        "scheduled_post",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("random_seed", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=True),
        sa.Column("sending_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('due', 'sending', 'sent', 'unconfirmed', 'missed', 'failed')",
            name=op.f("ck_scheduled_post_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["guild_id", "schedule_id"],
            ["schedule.guild_id", "schedule.id"],
            name=op.f("fk_scheduled_post_guild_id_schedule_id_schedule"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_post")),
        sa.UniqueConstraint(
            "guild_id", "schedule_id", "slot", name=op.f("uq_scheduled_post_guild_id_schedule_id_slot")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_scheduled_post_state"), "scheduled_post", ["state"])


def downgrade() -> None:
    op.drop_index(op.f("ix_scheduled_post_state"), table_name="scheduled_post")
    op.drop_table("scheduled_post")
    op.drop_index(op.f("ix_schedule_next_slot"), table_name="schedule")
    op.drop_table("schedule")
