"""First tables: corpora, text models, guild settings, training jobs."""

import sqlalchemy as sa
from alembic import op

revision = "20261124_first_tables"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "corpus",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("symbols", sa.Integer(), nullable=False),
        sa.Column("uploaded_by", sa.BigInteger(), nullable=False),
        sa.Column("rights_confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corpus")),
        sa.UniqueConstraint("guild_id", "id", name=op.f("uq_corpus_guild_id_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_corpus_guild_id_sha256"), "corpus", ["guild_id", "sha256"])

    op.create_table(
        "text_model",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("bundle_path", sa.Text(), nullable=False),
        sa.Column("corpus_id", sa.Integer(), nullable=True),
        sa.Column("training_job_id", sa.String(length=32), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("parameters", sa.BigInteger(), nullable=False),
        sa.Column("vocabulary", sa.Integer(), nullable=False),
        sa.Column("characters", sa.BigInteger(), nullable=False),
        sa.Column("validation_loss", sa.Double(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["guild_id", "corpus_id"],
            ["corpus.guild_id", "corpus.id"],
            name=op.f("fk_text_model_guild_id_corpus_id_corpus"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_model")),
        sa.UniqueConstraint("guild_id", "id", name=op.f("uq_text_model_guild_id_id")),
        sa.UniqueConstraint("guild_id", "name_key", name=op.f("uq_text_model_guild_id_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "guild_settings",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("default_model_id", sa.Integer(), nullable=True),
        sa.Column("temperature", sa.Double(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("trainer_role_id", sa.BigInteger(), nullable=True),
        sa.Column("generate_role_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length > 0", name=op.f("ck_guild_settings_length_positive")),
        sa.CheckConstraint("temperature >= 0", name=op.f("ck_guild_settings_temperature_not_negative")),
        sa.ForeignKeyConstraint(
            ["guild_id", "default_model_id"],
            ["text_model.guild_id", "text_model.id"],
            name=op.f("fk_guild_settings_guild_id_default_model_id_text_model"),
        ),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_guild_settings")),
    )
    op.create_table(
        "training_job",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("corpus_id", sa.Integer(), nullable=False),
        sa.Column("model_name", sa.String(length=100), nullable=False),
        sa.Column("minutes", sa.Double(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("fraction", sa.Double(), nullable=False),
        sa.Column("loss", sa.Double(), nullable=True),
        sa.Column("eta_s", sa.Double(), nullable=True),
        sa.Column("sample", sa.Text(), nullable=True),
        sa.Column("validation_loss", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("model_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("shown_revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'training', 'done', 'failed', 'cancelled')",
            name=op.f("ck_training_job_state_known"),
        ),
        sa.CheckConstraint("fraction BETWEEN 0 AND 1", name=op.f("ck_training_job_fraction_of_one")),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_training_job_minutes_positive")),
        sa.ForeignKeyConstraint(
            ["guild_id", "corpus_id"],
            ["corpus.guild_id", "corpus.id"],
            name=op.f("fk_training_job_guild_id_corpus_id_corpus"),
        ),
        sa.ForeignKeyConstraint(
            ["guild_id", "model_id"],
            ["text_model.guild_id", "text_model.id"],
            name=op.f("fk_training_job_guild_id_model_id_text_model"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_job")),
    )
    op.create_index(op.f("ix_training_job_guild_id_created_at"), "training_job", ["guild_id", "created_at"])
    op.create_index(op.f("ix_training_job_state"), "training_job", ["state"])


def downgrade() -> None:
    op.drop_index(op.f("ix_training_job_state"), table_name="training_job")
    op.drop_index(op.f("ix_training_job_guild_id_created_at"), table_name="training_job")

    op.drop_table("training_job")
    op.drop_table("guild_settings")
    op.drop_table("text_model")
    op.drop_index(op.f("ix_corpus_guild_id_sha256"), table_name="corpus")

    op.drop_table("corpus")
