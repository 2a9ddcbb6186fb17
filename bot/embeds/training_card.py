"""The card of a training: one embed that is edited from Queued to its end."""

import datetime
import json
from collections.abc import Callable

import discord

from bot.i18n import _
from bot.i18n.retelling import retold
from bot.text import card_style, reasons, safe_text
from bot.text.level_words import level_words
from models import Corpus, JobState, TextModel, TrainingJob
from textgen.files.bundle_files import PICTURE

SAMPLE_CHARACTERS = 600
FIRST_SAMPLE_CHARACTERS = 160
REASON_CHARACTERS = 1000
NOTES_CHARACTERS = 1000

COLOURS = {
    JobState.QUEUED: card_style.QUEUED,
    JobState.TRAINING: card_style.TRAINING,
    JobState.DONE: card_style.DONE,
    JobState.FAILED: card_style.FAILED,
    JobState.CANCELLED: card_style.CANCELLED,
}


def training_card(
    job: TrainingJob,
    corpus: Corpus | None,
    *,
    asked_by: str,
    place: int,
    waiting: int,
    starts_at: datetime.datetime,
    model: TextModel | None,
    base: TextModel | None,
    pictured: bool,
) -> discord.Embed:
    """What the card shows for a job.

    Args:
        job: row of the training.
        corpus: row of the text it learns from; None: deleted.
        asked_by: display name of the person who asked for it.
        place: position in the queue; 1 is next, 0 is not queued.
        waiting: number of jobs in the queue.
        starts_at: expected time of its turn, where it is queued.
        model: row of the finished model; None: not finished.
        base: row of the model it starts from; None: starts anew.
        pictured: the message has a picture of the loss curve.
    """
    embed = discord.Embed(
        title=safe_text.safe_within(job.model_name, 200),
        description=_headline(job, place, waiting, starts_at),
        colour=COLOURS[job.state],
    )
    if job.state is JobState.TRAINING:
        figures: tuple[tuple[str, float | None, Callable[[float], str]], ...] = (
            (_("Loss"), job.loss, card_style.nats),
            (_("Validation loss"), best_loss(job), card_style.nats),
            (_("Time left"), None if job.finish_requested else job.eta_s, card_style.duration),
        )
        for name, value, shown in figures:
            if value is not None:
                embed.add_field(name=name, value=shown(value))
    if model is not None and job.state is JobState.DONE:
        embed.add_field(name=_("Validation loss"), value=_both_units(job.validation_loss))
        embed.add_field(name=_("Parameters"), value=card_style.count(model.parameters))
        embed.add_field(name=_("Took"), value=_took(job))
    if corpus is not None and not job.state.is_final:
        embed.add_field(name=_("What was read"), value=_reading(job, corpus, base), inline=False)
    if job.notes and not job.state.is_final:
        lines = "\n".join(f"⚠️ {retold(line)}" for line in job.notes.split("\n"))
        embed.add_field(
            name=_("Good to know"), value=safe_text.shorten(lines, NOTES_CHARACTERS), inline=False
        )
    _add_samples(embed, job)
    if pictured:
        embed.set_image(url=f"attachment://{PICTURE}")
    footer = _("Requested by {name} · trains for up to {duration}")
    if job.state.is_final:
        footer = _("Requested by {name}")
    embed.set_footer(text=footer.format(name=asked_by, duration=card_style.duration(job.minutes * 60)))
    return embed


def best_loss(job: TrainingJob) -> float | None:
    """The lowest validation loss of a running training so far, in nats."""
    return min((loss for _, _, loss in json.loads(job.curve) if loss is not None), default=None)


def _headline(job: TrainingJob, place: int, waiting: int, starts_at: datetime.datetime) -> str:
    match job.state:
        case JobState.QUEUED:
            return _queued(job, place, waiting, starts_at)
        case JobState.TRAINING:
            doing = _("**Finishing**") if job.finish_requested else _("**Training**")
            where = card_style.percent(job.fraction) if job.loss is not None else _("getting ready …")
            return f"{doing} · {where}\n{card_style.progress_bar(job.fraction)}"
        case JobState.DONE:
            early = _(" · finished early") if job.finish_requested else ""
            how = _("Press Try it, or type {command}").format(
                command=f"`/generate model:{safe_text.plain(job.model_name)}`"
            )
            return _("**Done**") + f"{early}\n{how}"
        case JobState.FAILED:
            told = reasons.for_people(job.error) if job.error else _("no reason was given")
            reason = safe_text.safe_within(retold(told), REASON_CHARACTERS)
            reason = reason[:1].upper() + reason[1:]
            others = _("The other models of this server have not changed.")
            return _("**Failed**") + f"\n{reason}\n*{others}*"
        case JobState.CANCELLED:
            return _("**Cancelled**")


def _queued(job: TrainingJob, place: int, waiting: int, starts_at: datetime.datetime) -> str:
    if place > 1:
        line = _("**Queued** · place {place} of {waiting}").format(place=place, waiting=max(waiting, place))
    else:
        line = _("**Queued** · place 1, starts next")
    ready_at = starts_at + datetime.timedelta(minutes=job.minutes)
    when = _("Starts at about {start}, ready at about {end}").format(
        start=discord.utils.format_dt(starts_at, "t"), end=discord.utils.format_dt(ready_at, "t")
    )
    return f"{line}\n{when}"


def _reading(job: TrainingJob, corpus: Corpus, base: TextModel | None) -> str:
    figures = _("{characters} characters · {lines} lines · {symbols} symbols").format(
        characters=card_style.count(corpus.characters),
        lines=card_style.count(corpus.lines),
        symbols=card_style.count(corpus.symbols),
    )
    learns = _("Learns {level}").format(level=level_words(job.level).tokens)
    if job.size is not None:
        learns += _(" · size {size}").format(size=job.size)
    if base is not None:
        learns += _(" · starts from {model}").format(model=safe_text.safe_within(base.name, 60))
    if job.pretrained is not None:
        learns += _(" · fine-tunes {base}").format(base=safe_text.safe_within(job.pretrained, 60))
    if job.validation_corpus_id is not None:
        learns += _(" · measured on a separate text")
    return f"{safe_text.safe_within(corpus.filename, 60)}\n{figures}\n{learns}"


def _both_units(loss: float | None) -> str:
    if loss is None:
        return "–"
    return f"{card_style.nats(loss)}\n{card_style.bits(loss)}"


def _took(job: TrainingJob) -> str:
    if not (job.started_at and job.finished_at):
        return "–"
    return card_style.duration((job.finished_at - job.started_at).total_seconds())


def _add_samples(embed: discord.Embed, job: TrainingJob) -> None:
    samples = json.loads(job.samples)
    if not samples or job.state not in {JobState.TRAINING, JobState.DONE}:
        return
    first_share, first = samples[0]
    share, text = samples[-1]
    if len(samples) > 1:
        embed.add_field(
            name=_("What it wrote at {share}").format(share=card_style.percent(first_share)),
            value=_quoted(first, FIRST_SAMPLE_CHARACTERS),
            inline=False,
        )
    if job.state is JobState.DONE:
        heading = _("What it writes now")
    else:
        heading = _("What it writes at {share}").format(share=card_style.percent(share))
    embed.add_field(name=heading, value=_quoted(text, SAMPLE_CHARACTERS), inline=False)


def _quoted(text: str, limit: int) -> str:
    lines = safe_text.safe_within(text.strip(), limit).split("\n")
    return "\n".join(f"> {line}" for line in lines if line.strip()) or "> –"
