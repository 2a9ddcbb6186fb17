"""Discord misbehaves: the card is shown in the end, once, and no job is lost or kept from being shown."""

import datetime
from collections.abc import AsyncIterator

import discord
import pytest

import migrations
from bot.guilds.member_names import Names
from bot.infra.discord.token_bucket import TokenBucket
from bot.infra.paths import Layout
from bot.infra.storage.folder import FolderStorage
from bot.settings import Settings
from bot.training.cards.updater import EDITS_A_SECOND, EDITS_AT_ONCE, CardEditor
from bot.training.trainer.process import checkpoint_of
from bot.views.job_buttons import controls
from models import Database, TrainingJob, training_jobs
from tests.support.bot.fault_server import PATH, FaultServer, fault_server
from tests.support.rows import new_job

GUILD = 11


class Cards:
    """The bot's cards, shown through a real client to the server that misbehaves."""

    def __init__(self, settings: Settings, client: discord.Client, server: FaultServer) -> None:
        settings.prepare_data_dir()
        migrations.upgrade(settings.database_url)
        self.database = Database(settings.database_url)
        self.layout = Layout(settings.data_dir)
        self.server = server
        self._client = client
        self.restart()

    def restart(self) -> None:
        """Forget what a process knows."""
        self.editor = CardEditor(
            self._client, self.database, Names(self._client), FolderStorage(self.layout), controls
        )

    def job(self, name: str = "Hamlet", channel_id: int = 33) -> TrainingJob:
        now = datetime.datetime.now(datetime.UTC)
        with self.database.write() as session:
            job = new_job(session, GUILD, channel_id=channel_id, model_name=name, minutes=5)
            job.created_at = now - datetime.timedelta(minutes=1)
            return job

    def begin(self, job: TrainingJob, fraction: float = 0.5) -> None:
        with self.database.write() as session:
            training_jobs.start(session, GUILD, job.id)
            training_jobs.progress(session, GUILD, job.id, attempt=1, fraction=fraction, loss=2.0, eta_s=60.0)

    def finish(self, job: TrainingJob) -> None:
        with self.database.write() as session:
            training_jobs.finish(session, GUILD, job.id, attempt=1, model_id=None, validation_loss=1.5)

    def draw(self, job: TrainingJob, picture: bytes) -> None:
        folder = checkpoint_of(self.layout.trained(GUILD, job.id, 1))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "loss.png").write_bytes(picture)

    def shown(self) -> list[str]:
        return [message["embeds"][0]["description"] for message in self.server.messages.values()]


@pytest.fixture
async def cards(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cards]:
    async with fault_server() as server:
        monkeypatch.setattr(discord.http.Route, "BASE", f"{server.url}{PATH}")
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.http.static_login("a.b.c")
            made = Cards(settings, client, server)
            yield made
            made.database.dispose()


@pytest.mark.parametrize(
    "faults",
    [
        [429],
        [429, 429],
        [503],
        [503, 503, 503],
        [500],
        ["reset"],
        ["reset", 503, 429],
        ["lost"],
        ["lost"] * 2,
    ],
    ids=str,
)
async def test_a_new_card_is_shown_in_the_end_and_once(cards: Cards, faults: list[int | str]):
    cards.job()
    cards.server.faults.extend(faults)
    for _ in range(len(faults) + 1):
        await cards.editor.tick()
    assert not cards.server.faults
    (description,) = cards.shown()
    assert "Queued" in description


@pytest.mark.parametrize("faults", [[429], [503, 503], [500], ["reset", "reset"], ["lost"]], ids=str)
async def test_an_edit_is_shown_in_the_end(cards: Cards, faults: list[int | str]):
    job = cards.job()
    await cards.editor.tick()
    cards.begin(job)
    cards.server.faults.extend(faults)
    for _ in range(len(faults) + 1):
        await cards.editor.tick()
    (description,) = cards.shown()
    assert "Training** · 50%" in description


@pytest.mark.parametrize("fault", [503, "reset"])
async def test_one_card_that_fails_keeps_no_other_from_being_shown(cards: Cards, fault: int | str):
    for name in ("First", "Second", "Third"):
        cards.job(name)
    cards.server.faults.append(fault)
    await cards.editor.tick()
    assert len(cards.shown()) == 2
    await cards.editor.tick()
    assert len(cards.shown()) == 3


async def test_a_closed_channel_is_asked_for_rarely_and_the_job_goes_on(cards: Cards):
    job = cards.job()
    cards.server.faults.extend([403] * 50)
    for step in range(10):
        await cards.editor.tick()
        cards.begin(job, fraction=step / 10)
    assert len(cards.server.requests) == 1
    with cards.database.write() as session:
        training_jobs.fail(session, GUILD, job.id, attempt=1, error="no luck")
    await cards.editor.tick()
    assert len(cards.server.requests) == 2, "the end is worth a try"


async def test_a_picture_is_uploaded_when_it_is_new_and_only_then(cards: Cards):
    job = cards.job()
    await cards.editor.tick()
    cards.begin(job)
    cards.draw(job, b"P" * 100_000)
    (message,) = cards.server.messages.values()
    sizes = []
    for step in range(6):
        with cards.database.write() as session:
            training_jobs.progress(session, GUILD, job.id, attempt=1, fraction=step / 10)
        if step == 4:
            cards.draw(job, b"Q" * 100_000)
        await cards.editor.tick()
        assert message["embeds"][0]["image"]["url"] == "attachment://loss.png"
        sizes.append(message["size"] > 100_000)
    assert sizes == [True, False, False, False, True, False]


async def test_a_picture_that_is_too_large_is_left_out(cards: Cards):
    job = cards.job()
    await cards.editor.tick()
    cards.begin(job)
    cards.draw(job, b"P" * 100_000)
    cards.server.most_bytes = 50_000
    await cards.editor.tick()
    (message,) = cards.server.messages.values()
    assert "Training** · 50%" in message["embeds"][0]["description"]
    assert "image" not in message["embeds"][0]
    requests = len(cards.server.requests)
    cards.draw(job, b"Q" * 100_000)
    with cards.database.write() as session:
        training_jobs.progress(session, GUILD, job.id, attempt=1, fraction=0.6)
    await cards.editor.tick()
    assert "60%" in message["embeds"][0]["description"]
    assert len(cards.server.requests) == requests + 1, "it is not tried again"


async def test_a_new_process_takes_the_cards_over(cards: Cards):
    job = cards.job()
    await cards.editor.tick()
    cards.restart()
    cards.begin(job)
    await cards.editor.tick()
    assert len(cards.shown()) == 1


async def test_a_card_that_discord_lets_wait_holds_up_no_other(cards: Cards):
    first = cards.job("Limited")
    await cards.editor.tick()
    cards.begin(first)
    cards.server.retry_after_s = 20.0
    cards.server.faults.append(429)
    await cards.editor.tick()  # or the other card could be the one that has to wait
    cards.job("Other", channel_id=44)
    for _ in range(2):
        await cards.editor.tick()
    assert any("Queued" in each for each in cards.shown()[1:])
    cards.job("Third", channel_id=55)
    await cards.editor.tick()
    assert len(cards.shown()) == 3
    await cards.editor.close()


async def test_many_cards_of_one_channel_keep_no_other_waiting(cards: Cards):
    for number in range(60):
        cards.job(f"Many {number}")
    with cards.database.write() as session:
        for job in training_jobs.unfinished(session):
            job.updated_at -= datetime.timedelta(hours=1)
    late = cards.job("Late", channel_id=44)
    with cards.database.read() as session:
        first = training_jobs.changed_cards(session, 50)
        assert late.id in [job.id for job in first[:2]]
        assert [job.id for job in training_jobs.changed_cards(session, 50, without=[33])] == [late.id]


async def test_the_end_is_told_in_a_thread_that_was_archived(cards: Cards):
    """Edits do not keep a thread open, and are refused in one that is archived; a new message opens it."""
    job = cards.job()
    await cards.editor.tick()
    cards.begin(job)
    await cards.editor.tick()
    cards.server.archived = True
    cards.finish(job)
    for _ in range(3):
        await cards.editor.tick()
    first, second = cards.shown()
    assert "Training" in first
    assert "Done" in second
    assert not cards.server.archived


async def test_the_end_is_told_once_the_channel_opens_again(cards: Cards, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.training.cards.updater.UNREACHABLE_EVERY_S", 0.0)
    job = cards.job()
    await cards.editor.tick()
    cards.begin(job)
    cards.finish(job)
    cards.server.faults.extend([403, 403])
    for _ in range(3):
        await cards.editor.tick()
    assert "Done" in cards.shown()[-1]
    requests = len(cards.server.requests)
    await cards.editor.tick()
    assert len(cards.server.requests) == requests, "it is told once"


async def test_without_embed_links_a_card_comes_as_plain_text(cards: Cards):
    cards.server.embeds_nothing = True
    cards.job()
    await cards.editor.tick()
    (message,) = cards.server.messages.values()
    assert "Hamlet" in message["content"]
    assert "Queued" in message["content"]


@pytest.mark.slow
async def test_a_crowd_of_cards_is_edited_in_turn_and_a_new_state_comes_first(cards: Cards):
    moment = 0.0
    cards.editor._edits = TokenBucket(EDITS_A_SECOND, EDITS_AT_ONCE, lambda: moment)
    running = [cards.job(f"Running {number}", channel_id=100 + number) for number in range(20)]
    sent = []
    for _ in range(3):
        await cards.editor.tick()
        sent.append(len(cards.server.requests))
        moment += 3
    assert sent == [9, 18, 20]
    for _ in range(3):  # every training goes on and on
        for job in running[1:]:
            cards.begin(job)
        await cards.editor.tick()
        moment += 3
    shown = cards.shown()
    assert sum("Training" in each for each in shown) == 19, "none was left out"
    with cards.database.write() as session:
        training_jobs.cancel(session, GUILD, running[0].id)
    for job in running[1:]:
        cards.begin(job)
    await cards.editor.tick()
    assert sum("Cancelled" in each for each in cards.shown()) == 1
