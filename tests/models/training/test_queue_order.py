"""Guilds take turns: each waits for the others' next training, never for all that one of them asked for."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models import Database, JobState, TrainingJob, queue_order
from tests.support.rows import new_job

MORNING = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = [MORNING + timedelta(hours=hour) for hour in range(500)]


class Host:
    """A host that trains one job at a time, as a table in memory."""

    def __init__(self) -> None:
        self.now = 0
        self.jobs: list[TrainingJob] = []
        self.last_ended: dict[int, datetime] = {}
        self.begun: list[TrainingJob] = []

    def ask(self, guild_id: int) -> None:
        self.now += 1
        self.jobs.append(
            TrainingJob(
                id=f"{len(self.jobs):03}",
                guild_id=guild_id,
                state=JobState.QUEUED,
                created_at=HOURS[self.now],
            )
        )

    @property
    def unfinished(self) -> list[TrainingJob]:
        return [job for job in self.jobs if not job.state.is_final]

    def line(self) -> list[TrainingJob]:
        return queue_order.in_turn(self.unfinished, self.last_ended)

    def train_next(self) -> None:
        """End what runs and begin what is next."""
        self.now += 1
        for job in self.unfinished:
            if job.state is JobState.TRAINING:
                job.state, job.finished_at = JobState.DONE, HOURS[self.now]
                self.last_ended[job.guild_id] = HOURS[self.now]
        line = self.line()
        if line:
            self.now += 1
            line[0].state, line[0].started_at = JobState.TRAINING, HOURS[self.now]
            self.begun.append(line[0])

    def guilds_begun(self) -> list[int]:
        return [job.guild_id for job in self.begun]


def test_a_guild_with_one_job_comes_after_the_first_of_a_guild_with_five() -> None:
    host = Host()
    for _ in range(5):
        host.ask(1)
    host.ask(2)
    while host.unfinished:
        host.train_next()
    assert host.guilds_begun() == [1, 2, 1, 1, 1, 1]


def test_who_comes_while_another_guilds_training_runs_is_next() -> None:
    host = Host()
    for _ in range(5):
        host.ask(1)
    host.train_next()
    host.ask(2)
    assert [job.guild_id for job in host.line()] == [2, 1, 1, 1, 1]
    host.train_next()
    host.ask(2)
    host.ask(3)
    assert [job.guild_id for job in host.line()] == [1, 3, 2, 1, 1, 1]


def test_a_training_long_ago_costs_no_place() -> None:
    host = Host()
    host.ask(1)
    host.train_next()
    host.train_next()
    host.ask(1)
    host.ask(2)
    assert [job.guild_id for job in host.line()] == [1, 2]


moves = st.lists(st.one_of(st.integers(1, 4), st.none()), max_size=120)


@given(moves)
def test_the_line_that_is_shown_is_the_order_in_which_they_are_trained(moves: list[int | None]) -> None:
    host = Host()
    for guild_id in moves:
        host.train_next() if guild_id is None else host.ask(guild_id)
    shown = [job.id for job in host.line()]
    before = len(host.begun)
    while host.unfinished:
        host.train_next()
    assert [job.id for job in host.begun[before:]] == shown


@given(moves)
def test_between_two_trainings_of_a_guild_everyone_who_waits_has_one(moves: list[int | None]) -> None:
    host = Host()
    for guild_id in moves:
        host.train_next() if guild_id is None else host.ask(guild_id)
    while host.unfinished:
        host.train_next()
    last: dict[int, TrainingJob] = {}
    for number, job in enumerate(host.begun):
        earlier = last.get(job.guild_id)
        if earlier is not None:
            between = {other.guild_id for other in host.begun[host.begun.index(earlier) : number]}
            waited = {
                other.guild_id
                for other in host.jobs
                if other.created_at < earlier.finished_at
                and (other.started_at is None or other.started_at > job.started_at)
            }
            assert waited <= between
        last[job.guild_id] = job


def test_a_turn_takes_the_next_job_once_and_the_same_again_after_a_crash(database: Database) -> None:
    with database.write() as session:
        for guild_id in (1, 1, 2):
            new_job(session, guild_id)
    taken: list[tuple[str, int]] = []
    for turn in ("t1", "t1", "t2", "t3", "t2", "t4"):
        with database.write() as session:
            job = queue_order.take(session, turn)
            if job is not None:
                assert job.state is JobState.TRAINING
                taken.append((job.id, job.guild_id))
    assert [guild_id for _, guild_id in taken] == [1, 1, 2, 1, 2]
    assert len(set(taken)) == 3, "t1 and t2 came back to the job that they had begun; t4 found nothing"
