"""Writes the trainer's events to the job's row, at most once a second. Knows nothing of Discord."""

import json
import time
from collections.abc import Callable
from typing import Any

import structlog

from bot.i18n import marked
from bot.training.trainer.process import Stop
from models import Database, DatabaseError, JobState, TrainingJob, training_jobs

log = structlog.stdlib.get_logger(__name__)

REPORT_EVERY_S = 1.0
SAMPLE_CHARACTERS = 1000
SAMPLES_AT = (0.0, 0.1, 0.25, 0.5, 0.75)
"""Fractions of a training at which people see a new sample; the last sample comes at the end."""

CURVE_POINTS = 400

# Stored in English, and translated when they are shown.
DAMAGES = {
    "previous": marked(
        "What was saved last of this training is damaged: it goes on from what was saved before."
    ),
    "anew": marked("What was saved of this training is damaged: it starts anew."),
}
HALF_BATCH = marked("The host's memory was too small: it starts once more in smaller batches.")


class Reporter:
    """Writes progress to the row, and reads from it whether to stop or finish.

    Args:
        database: holds the row.
        job: the job when the training began or was resumed.
        interrupted: returns whether the process is shutting down.
    """

    def __init__(self, database: Database, job: TrainingJob, interrupted: Callable[[], bool]) -> None:
        self._database = database
        self._guild_id, self._job_id, self._attempt = job.guild_id, job.id, job.attempt
        self._interrupted = interrupted
        self._news: dict[str, Any] = {}
        self._curve: list[Any] = json.loads(job.curve)
        self._samples: list[tuple[float, str]] = [(share, text) for share, text in json.loads(job.samples)]
        self._notes: list[str] = [line for line in job.notes.split("\n") if line]
        self._latest: tuple[float, str] | None = None
        self._reported = 0.0
        self._stop: Stop | None = None

    def take(self, event: dict[str, Any]) -> None:
        """Keep what an event says for the next report."""
        match event["event"]:
            case "started":
                log.info(
                    "training started",
                    guild=self._guild_id,
                    job=self._job_id,
                    resumed=event["resumed"],
                    lacking=event.get("lacking"),
                )
                if event.get("damage") in DAMAGES:
                    log.warning("checkpoint damaged", job=self._job_id, notes=event.get("notes"))
                    self._note(DAMAGES[event["damage"]])
            case "half_batch":
                self._note(HALF_BATCH)
            case "progress":
                news = {name: event.get(name) for name in ("fraction", "loss", "eta_s")}
                self._news |= {name: value for name, value in news.items() if value is not None}
            case "checkpoint":
                self._add_point(event)
            case "sample":
                self._latest = event["fraction"], event["text"][:SAMPLE_CHARACTERS]
                if self._sample_is_due(event["fraction"]):
                    self._show_sample()

    def should_stop(self) -> Stop | None:
        """Report if it is time to, and return why the training should stop; None to continue."""
        if self._interrupted():
            return Stop.SHUTDOWN
        if time.monotonic() - self._reported >= REPORT_EVERY_S:
            self._reported = time.monotonic()
            self._report()
        return self._stop

    def end(self) -> None:
        """Report what is left, with the sample of the finished model.

        Raises:
            DatabaseError: it could not be reported, and is kept for the next try.
        """
        if self._latest is not None:
            self._show_sample()
        self._bring()

    @property
    def lost(self) -> bool:
        """Whether the last report found that another process has the training."""
        return self._stop is Stop.LOST

    def _note(self, line: str) -> None:
        """Add a note to the card."""
        if line not in self._notes:
            self._notes.append(line)
            self._news["notes"] = "\n".join(self._notes)

    def _add_point(self, event: dict[str, Any]) -> None:
        self._curve.append([event["seconds"], event.get("training_loss"), event["validation_loss"]])
        if len(self._curve) > CURVE_POINTS:
            del self._curve[1:-1:2]
        self._news["curve"] = json.dumps(self._curve)

    def _sample_is_due(self, fraction: float) -> bool:
        shown = max((share for share, _ in self._samples), default=-1.0)
        return any(shown < mark <= fraction for mark in SAMPLES_AT)

    def _show_sample(self) -> None:
        if self._latest is None or self._latest in self._samples:
            return
        self._samples.append(self._latest)
        self._news |= {"sample": self._latest[1], "samples": json.dumps(self._samples)}

    def _report(self) -> None:
        try:
            self._bring()
        except DatabaseError as error:  # a lost report must not end the training
            log.warning("progress not reported", job=self._job_id, error=str(error))

    def _bring(self) -> None:
        news, self._news = self._news, {}
        try:
            job = self._write(news) if news else self._read()
        except DatabaseError:
            self._news = news | self._news
            raise
        if job is None or (job.attempt == self._attempt and job.state is JobState.CANCELLED):
            self._stop = Stop.CANCEL
        elif job.attempt != self._attempt or job.state is not JobState.TRAINING:
            # Another process has it or has ended it, or a restored database does not know of this attempt.
            self._stop = Stop.LOST
        else:
            self._stop = Stop.FINISH if job.finish_requested else None

    def _read(self) -> TrainingJob | None:
        with self._database.read() as session:
            return training_jobs.get(session, self._guild_id, self._job_id)

    def _write(self, news: dict[str, Any]) -> TrainingJob | None:
        with self._database.write() as session:
            key = session, self._guild_id, self._job_id
            return training_jobs.progress(*key, attempt=self._attempt, **news) or training_jobs.get(*key)
