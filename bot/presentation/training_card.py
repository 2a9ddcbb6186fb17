"""The card of a training: one embed that is edited from Queued to its end."""

import discord

from bot.presentation import safe_text, style
from models import Corpus, JobState, TextModel, TrainingJob

SAMPLE_CHARACTERS = 700
REASON_CHARACTERS = 1000

COLOURS = {
    JobState.QUEUED: style.QUEUED,
    JobState.TRAINING: style.TRAINING,
    JobState.DONE: style.DONE,
    JobState.FAILED: style.FAILED,
    JobState.CANCELLED: style.CANCELLED,
}


def training_card(
    job: TrainingJob,
    corpus: Corpus | None,
    *,
    asked_by: str,
    place: int = 0,
    model: TextModel | None = None,
) -> discord.Embed:
    """What the card shows for a job.

    Args:
        job: the row.
        corpus: what it learns from.
        asked_by: name of who asked for it.
        place: in the queue, 1 is next.
        model: what came of it.
    """
    embed = discord.Embed(
        title=safe_text.safe_within(job.model_name, 200),
        description=_headline(job, place),
        colour=COLOURS[job.state],
    )
    if job.state is JobState.TRAINING:
        embed.add_field(name="Loss", value=style.nats(job.loss))
        embed.add_field(name="Time left", value="–" if job.eta_s is None else style.duration(job.eta_s))
    if model is not None and job.state is JobState.DONE:
        embed.add_field(name="Validation loss", value=style.nats(job.validation_loss))
        embed.add_field(name="Parameters", value=style.count(model.parameters))
    if corpus is not None:
        name = safe_text.safe_within(corpus.filename, 60)
        embed.add_field(name="Corpus", value=f"{name}\n{style.count(corpus.characters)} characters")
    if job.sample and job.state in {JobState.TRAINING, JobState.DONE}:
        heading = "What it writes so far" if job.state is JobState.TRAINING else "What it wrote last"
        embed.add_field(name=heading, value=_quoted(job.sample), inline=False)
    embed.set_footer(text=f"Asked for by {asked_by} · trains for up to {style.duration(job.minutes * 60)}")
    return embed


def _headline(job: TrainingJob, place: int) -> str:
    match job.state:
        case JobState.QUEUED:
            return f"**Queued** · place {place}" if place > 1 else "**Queued** · place 1, starts next"
        case JobState.TRAINING:
            return f"**Training** · {job.fraction:.0%}\n{style.progress_bar(job.fraction)}"
        case JobState.DONE:
            took = ""
            if job.started_at and job.finished_at:
                took = f" in {style.duration((job.finished_at - job.started_at).total_seconds())}"
            return f"**Done**{took}\nTry it: `/generate model:{safe_text.plain(job.model_name)}`"
        case JobState.FAILED:
            reason = safe_text.safe_within(job.error or "no reason was given", REASON_CHARACTERS)
            return f"**Failed**\n{reason}\n-# The other models of this server are as they were."
        case JobState.CANCELLED:
            return "**Cancelled**"


def _quoted(text: str) -> str:
    lines = safe_text.safe_within(text.strip(), SAMPLE_CHARACTERS).split("\n")
    return "\n".join(f"> {line}" for line in lines)
