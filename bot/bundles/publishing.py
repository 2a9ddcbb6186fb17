"""Publishes a bundle as a guild's model, with the figures of its manifest. Knows nothing of jobs."""

from pathlib import Path

from sqlalchemy.orm import Session

from bot.infra.paths import relative
from models import TextModel, text_models


def publish_bundle(
    session: Session,
    guild_id: int,
    bundle: Path,
    *,
    name: str,
    created_by: int,
    corpus_id: int | None = None,
    training_job_id: str | None = None,
    imported: bool = False,
    stored: str | None = None,
) -> tuple[TextModel, str | None]:
    """Publish a bundle as the guild's model of a name.

    Args:
        session: an open SQLAlchemy session that may write.
        guild_id: Discord id of the guild that owns the model.
        bundle: path of the bundle.
        name: of the model.
        created_by: Discord id of the person who asked for it.
        corpus_id: id of the text that it learned from; None if it is unknown.
        training_job_id: id of the job that trained it; None for an import.
        imported: whether it was trained elsewhere.
        stored: the bundle's key in the storage; None: its path in the data directory.

    Returns:
        The model, and the key of the bundle that it replaces, which the caller deletes after the commit.

    Raises:
        BundleError: the bundle cannot be read.
    """
    # It imports NumPy, which a bot that publishes nothing does not need.
    from textgen.bundle import read_manifest

    manifest = read_manifest(bundle)
    return text_models.publish(
        session,
        guild_id,
        name=name,
        bundle_path=stored or relative(bundle),
        corpus_id=corpus_id,
        training_job_id=training_job_id,
        level=manifest.level,
        cell=manifest.cell,
        parameters=manifest.parameters,
        vocabulary=manifest.vocabulary,
        characters=manifest.characters,
        validation_loss=manifest.validation_loss,
        created_by=created_by,
        imported=imported,
        size=sum(file.stat().st_size for file in bundle.iterdir() if file.is_file()),
    )
