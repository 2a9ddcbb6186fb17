"""The models of a guild, by name. The weights are in a bundle on disk; a row holds its path and figures."""

from collections.abc import Collection, Sequence
from typing import Any, NotRequired, TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.changes import change_row
from models.scheduling import schedules
from models.tables import Corpus, TextModel, guild_tables
from models.training.names import InvalidNameError, clean_name, key_of


def listing(session: Session, guild_id: int) -> Sequence[TextModel]:
    """Return all models of the guild, by name."""
    chosen = sa.select(TextModel).where(TextModel.guild_id == guild_id).order_by(TextModel.name_key)
    return session.scalars(chosen).all()


def get(session: Session, guild_id: int, model_id: int) -> TextModel | None:
    """Return one of the guild's models; None where the id is absent or another guild's."""
    return session.scalar(sa.select(TextModel).where(*_of(guild_id, model_id)))


def by_name(session: Session, guild_id: int, name: str) -> TextModel | None:
    """Return the guild's model of that name, whatever the case; None if there is none."""
    return session.scalar(_named(guild_id, name))


def with_corpus(
    session: Session, guild_id: int, wanted: str | int | None
) -> tuple[TextModel | None, Corpus | None]:
    """Return one of the guild's models and the corpus it was trained on; None for what is missing.

    Args:
        session: an open SQLAlchemy session.
        guild_id: Discord id of the guild that owns the model.
        wanted: the model's name or id; None takes the model that was published last.
    """
    of_corpus = (Corpus.guild_id == TextModel.guild_id) & (Corpus.id == TextModel.corpus_id)
    chosen = sa.select(TextModel, Corpus).outerjoin(Corpus, of_corpus).where(TextModel.guild_id == guild_id)
    if isinstance(wanted, int):
        chosen = chosen.where(TextModel.id == wanted)
    elif wanted is not None:
        chosen = chosen.where(TextModel.name_key == key_of(wanted))
    newest = chosen.order_by(TextModel.updated_at.desc(), TextModel.id.desc()).limit(1)
    found = session.execute(newest).one_or_none()
    return (found[0], found[1]) if found else (None, None)


def count_stored(session: Session, *, packed: bool) -> int:
    """Return how many models of all guilds lie in an S3-like storage (`packed`), or in a data directory."""
    in_storage = TextModel.bundle_path.endswith(".zip", autoescape=True)
    chosen = sa.select(sa.func.count()).where(in_storage if packed else sa.not_(in_storage))
    return session.execute(chosen.select_from(TextModel)).scalar_one()


def stored_keys(session: Session) -> Sequence[str]:
    """Return what the rows of all guilds call their bundles in the storage, for the bot itself."""
    return session.scalars(sa.select(TextModel.bundle_path)).all()


def move(session: Session, bundle_path: str, to: str) -> None:
    """Let the rows that name a bundle name it at another place, for the bot itself."""
    session.execute(
        sa.update(TextModel)
        .where(TextModel.bundle_path == bundle_path)
        # The newest model is the one with the newest bundle, wherever it lies.
        .values(bundle_path=to, updated_at=TextModel.updated_at)
        .execution_options(synchronize_session=False)
    )


def names_starting(session: Session, guild_id: int, prefix: str, limit: int = 25) -> Sequence[str]:
    """Return the first names that begin with `prefix`, whatever the case. Discord shows up to 25."""
    chosen = (
        sa.select(TextModel.name)
        .where(TextModel.guild_id == guild_id, TextModel.name_key.startswith(key_of(prefix), autoescape=True))
        .order_by(TextModel.name_key)
        .limit(limit)
    )
    return session.scalars(chosen).all()


class ModelValues(TypedDict):
    """What is known of a model.

    Attributes:
        name: the name to show, 1 to 100 characters; an existing model takes its case.
        bundle_path: path of the finished bundle, relative to the data directory.
        corpus_id: id of one of the guild's corpora; None if it is unknown.
        training_job_id: id of the job that trained it; None for an import.
        level: what a token is: ``char``, ``word`` or ``subword``.
        cell: the recurrent cell, such as ``linear`` or ``lstm``.
        parameters: number of trained parameters.
        vocabulary: number of tokens it knows.
        characters: length of its corpus, in characters.
        validation_loss: loss on the validation text, in nats per token; None if unknown.
        created_by: Discord id of the person who asked for it.
        imported: whether it was trained elsewhere.
        size: bytes of the bundle; None: it is measured later.
    """

    name: str
    bundle_path: str
    corpus_id: int | None
    training_job_id: str | None
    level: str
    cell: str
    parameters: int
    vocabulary: int
    characters: int
    validation_loss: float | None
    created_by: int
    imported: NotRequired[bool]
    size: NotRequired[int | None]


def publish(session: Session, guild_id: int, **values: Unpack[ModelValues]) -> tuple[TextModel, str | None]:
    """Insert a model of the guild, or give the existing model of that name a new bundle.

    Args:
        session: an open SQLAlchemy session that may write.
        guild_id: Discord id of the guild that owns the model.
        **values: what is known of it.

    Returns:
        The model, and the path of its former bundle, which the caller deletes after the commit; None if it
        had none.

    Raises:
        InvalidNameError: no model can have this name.
        sqlalchemy.exc.IntegrityError: the corpus is not one of this guild's.
    """
    name = values["name"]
    figures = {"imported": False, "size": None, **values, "name": clean_name(name)}
    model = session.scalar(_named(guild_id, name).with_for_update())
    if model is None:
        model = TextModel(guild_id=guild_id, name_key=key_of(name), **figures)
        try:
            with session.begin_nested():
                session.add(model)
            return model, None
        except IntegrityError:
            # On PostgreSQL another transaction may have taken the name since it was looked for.
            model = session.scalar(_named(guild_id, name).with_for_update())
            if model is None:
                raise
    replaced = model.bundle_path if model.bundle_path != values["bundle_path"] else None
    for column, value in figures.items():
        setattr(model, column, value)
    session.flush()
    return model, replaced


def rename(session: Session, guild_id: int, model_id: int, name: str) -> TextModel | None:
    """Rename a model of the guild; None if the id is absent or another guild's.

    Raises:
        InvalidNameError: no model can have this name, or another model of the guild has it.
    """
    cleaned = clean_name(name)
    try:
        with session.begin_nested():
            return _changed(session, guild_id, model_id, name=cleaned, name_key=key_of(cleaned))
    except IntegrityError:
        taken = session.scalar(_named(guild_id, name))
        raise InvalidNameError(
            "there is already a model named “{name}” here; choose another name",
            name=cleaned if taken is None else taken.name,
        ) from None


def count_generations(session: Session, guild_id: int, model_id: int, texts: int) -> None:
    """Count texts that a model wrote; do nothing if the guild no longer has it."""
    _changed(session, guild_id, model_id, generations=TextModel.generations + texts)


def delete(session: Session, guild_id: int, model_id: int) -> TextModel | None:
    """Delete a model of the guild and the references to it; None if the id is absent or another guild's.

    Rows of trainings stay.

    Returns:
        The deleted model; the caller deletes its bundle after the commit.
    """
    model = session.scalar(sa.select(TextModel).where(*_of(guild_id, model_id)).with_for_update())
    if model is not None:
        delete_many(session, guild_id, [model_id])
    return model


def delete_many(session: Session, guild_id: int, model_ids: Collection[int]) -> None:
    """Delete some of the guild's models. A row that refers to one drops the reference, or is deleted too."""
    for model_id in model_ids:
        schedules.pause_for_model(session, guild_id, model_id, "Its model was deleted.")
    models = TextModel.__table__
    for table in guild_tables():
        for key in table.foreign_key_constraints:
            if key.referred_table is not models:
                continue
            (column,) = (column for column in key.columns if column.key != "guild_id")
            refers = (table.c.guild_id == guild_id, column.in_(model_ids))
            if column.nullable:
                session.execute(sa.update(table).where(*refers).values({column: None}))
            else:
                session.execute(sa.delete(table).where(*refers))
    session.execute(sa.delete(TextModel).where(TextModel.guild_id == guild_id, TextModel.id.in_(model_ids)))
    session.expire_all()


def _changed(session: Session, guild_id: int, model_id: int, **values: Any) -> TextModel | None:
    """Change a model but not its `updated_at`: the newest model is the one with the newest bundle."""
    which = _of(guild_id, model_id)
    return change_row(session, TextModel, *which, updated_at=TextModel.updated_at, **values)


def _of(guild_id: int, model_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return TextModel.guild_id == guild_id, TextModel.id == model_id


def _named(guild_id: int, name: str) -> sa.Select[TextModel]:
    return sa.select(TextModel).where(TextModel.guild_id == guild_id, TextModel.name_key == key_of(name))
