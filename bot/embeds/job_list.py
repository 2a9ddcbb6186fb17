"""A server's trainings as one card: running, waiting and ended."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import discord

from bot.i18n import _
from bot.text import card_style, safe_text
from models import JobState, TrainingJob

# Fields of an embed hold 1,024 characters; so many jobs with the longest names stay below.
JOBS_SHOWN = 10
NAME_CHARACTERS = 60


@dataclass(frozen=True)
class JobList:
    """What `/jobs` shows.

    Attributes:
        unfinished: queued and running jobs, the running ones first, then in the order of their turns.
        recent: those that ended last.
        places: positions of waiting jobs in the queue of all servers, by job id; 1 is next.
        waits_s: expected seconds until their turns, by job id.
        names: display names of those who asked, by Discord user id.
        now: the moment from which seconds are counted.
    """

    unfinished: Sequence[TrainingJob]
    recent: Sequence[TrainingJob]
    places: Mapping[str, int]
    waits_s: Mapping[str, float]
    names: Mapping[int, str]
    now: datetime.datetime


def job_list(jobs: JobList) -> discord.Embed:
    """The card."""
    embed = discord.Embed(title=_("Trainings of this server"), colour=card_style.QUEUED)
    if not jobs.unfinished:
        embed.description = _("Nothing is training. Start with /train and a text that you may use.")
    else:
        embed.colour = card_style.TRAINING
    for job in jobs.unfinished[:JOBS_SHOWN]:
        name = safe_text.safe_within(job.model_name, NAME_CHARACTERS * 2)
        embed.add_field(name=name, value=_standing(job, jobs), inline=False)
    hidden = len(jobs.unfinished) - JOBS_SHOWN
    if hidden > 0:
        embed.add_field(name="", value=_("… and {count} more").format(count=hidden), inline=False)
    if jobs.recent:
        embed.add_field(name=_("Ended"), value="\n".join(_ended(job) for job in jobs.recent), inline=False)
    return embed


def option_of(job: TrainingJob) -> discord.SelectOption:
    """The job as an option of the menu that cancels trainings."""
    state = _("running") if job.state is JobState.TRAINING else _("waiting")
    name = safe_text.shorten(safe_text.plain(job.model_name), 100)
    return discord.SelectOption(label=name, value=job.id, description=state)


def _standing(job: TrainingJob, jobs: JobList) -> str:
    asked_by = _("requested by {name}").format(name=safe_text.person(jobs.names[job.requested_by]))
    if job.state is JobState.TRAINING:
        bar = card_style.progress_bar(job.fraction)
        if job.loss is None or job.eta_s is None:
            ready = _("getting ready …")
            return f"{bar}\n{ready} · {asked_by}"
        ready = _("ready {when}").format(when=_in_s(jobs, job.eta_s))
        return f"{bar} {card_style.percent(job.fraction)}\n{ready} · {card_style.nats(job.loss)} · {asked_by}"
    place = _("**Queued** · place {place}").format(place=jobs.places.get(job.id, 1))
    starts = _("starts {when}").format(when=_in_s(jobs, jobs.waits_s.get(job.id, 0.0)))
    takes = _("takes up to {duration}").format(duration=card_style.duration(job.minutes * 60))
    return f"{place} · {starts}\n{takes} · {asked_by}"


def _in_s(jobs: JobList, seconds: float) -> str:
    """How long it is until then; a reader's client counts it down."""
    return discord.utils.format_dt(jobs.now + datetime.timedelta(seconds=seconds), "R")


def _ended(job: TrainingJob) -> str:
    name = safe_text.safe_within(job.model_name, NAME_CHARACTERS)
    when = "" if job.finished_at is None else f" · {discord.utils.format_dt(job.finished_at, 'R')}"
    match job.state:
        case JobState.DONE:
            return f"✅ {name} · {card_style.nats(job.validation_loss)}{when}"
        case JobState.CANCELLED:
            return f"▫️ {name} · " + _("cancelled") + when
        case _:
            return f"❌ {name} · " + _("failed") + when
