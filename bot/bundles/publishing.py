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
) -> tuple[TextModel, str | None]:
    """Publish a bundle as the guild's model of a name.

    Returns:
        The model, and the path of the bundle that it replaces, which the caller deletes after the commit.

    Raises:
        BundleError: the bundle cannot be read.
    """
    # It imports NumPy, which a bot that publishes nothing does not need.
    from textgen.bundle import read_manifest

    manifest = read_manifest(bundle)
    model, replaced = text_models.publish(
        session,
        guild_id,
        name=name,
        bundle_path=relative(bundle),
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
    # A row holds a path relative to the data directory, and both bundles are in the same one.
    data_dir = Path(str(bundle).removesuffix(relative(bundle)))
    return model, None if replaced is None else str(data_dir / replaced)
