"""The game Real or Pastiche?: rounds, answers and scores; and whether lines of a text may be shown in it."""

import sqlalchemy as sa
from alembic import op

from models.tables.columns import UtcDateTime

revision = "20261201_games"
down_revision = "20261130_growth"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("corpus") as batch:
        batch.add_column(sa.Column("quotable", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "game_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("started_by", sa.BigInteger(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("is_real", sa.Boolean(), nullable=False),
        sa.Column("nats_per_word", sa.Double(), nullable=False),
        sa.Column("expected_per_word", sa.Double(), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("closes_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_game_round")),
        sa.UniqueConstraint("guild_id", "id", name=op.f("uq_game_round_guild_id_id")),
        sa.ForeignKeyConstraint(
            ["guild_id", "model_id"],
            ["text_model.guild_id", "text_model.id"],
            name=op.f("fk_game_round_guild_id_model_id_text_model"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_game_round_closes_at"), "game_round", ["closes_at"])
    op.create_table(
        "game_answer",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("round_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("answered_by", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("says_real", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "round_id", "answered_by", name=op.f("pk_game_answer")),
        sa.ForeignKeyConstraint(
            ["guild_id", "round_id"],
            ["game_round.guild_id", "game_round.id"],
            name=op.f("fk_game_answer_guild_id_round_id_game_round"),
        ),
    )
    op.create_table(
        "game_score",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("correct", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", name=op.f("pk_game_score")),
        sa.CheckConstraint("correct BETWEEN 0 AND rounds", name=op.f("ck_game_score_correct_of_rounds")),
    )


def downgrade() -> None:
    op.drop_table("game_score")
    op.drop_table("game_answer")
    op.drop_index(op.f("ix_game_round_closes_at"), "game_round")
    op.drop_table("game_round")
    with op.batch_alter_table("corpus") as batch:
        batch.drop_column("quotable")
