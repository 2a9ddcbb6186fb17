"""*Real or Pastiche?* in the simulated Discord, with a trained model in a real sampler process."""

import datetime
import io
import json
import random
import re
import zipfile
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.game import closing, lines, starting
from bot.game.lines import LONGEST, SHORTEST, is_fit, lines_of, real_lines, written_lines
from models import GameRound, corpora, games, guilds, personal_data, text_models
from models.tables import GameAnswer, GameScore
from tests.support.bot.trainings import jobs, train, until
from tests.support.bot.world import Place, World, answer, private_line, shown
from tests.support.texts.hostile import FAMILIES

MINUTE = datetime.timedelta(minutes=1)


class Game:
    """A server that may play with its model, and a clock that is set by hand."""

    def __init__(self, world: World, place: Place, folder: Path, text: str, monkeypatch: pytest.MonkeyPatch):
        self.world, self.place, self.text = world, place, text
        self.corpus_id = world.learn_from(place, text, folder)
        self.allow()
        self.moment = discord.utils.utcnow()
        self._monkeypatch = monkeypatch
        self.watch()
        self.chance(real=True)

    def watch(self) -> None:
        self.world.bot.clock = lambda: self.moment
        self.cog = self.world.bot.get_cog("Game")
        self.cog.tell_solutions.cancel()  # rounds end when a test says so

    def allow(self, *, allowed: bool = True) -> None:
        with self.world.bot.database.write() as session:
            corpora.get(session, self.place.guild.id, self.corpus_id).quotable = allowed

    def chance(self, *, real: bool) -> None:
        """Decide what the next lines are."""
        chance = random.Random(5)
        chance.random = lambda: 0.0 if real else 0.9
        self._monkeypatch.setattr(starting, "chance", chance)

    async def play(self, actor: Any = None, **options: str) -> Any:
        return await (actor or self.place.member).slash(self.place.channel, "game play", **options)

    async def question(self) -> Any:
        message = answer(await self.play())
        assert message.embeds, message.content
        return message.message

    async def says(self, message: Any, label: str, actor: Any = None) -> str:
        told = answer(await (actor or self.place.member).click(message, label=label))
        assert told.ephemeral
        return told.content

    async def a_minute_later(self) -> None:
        self.moment += MINUTE
        await self.cog.closer.tick()

    def rounds(self) -> list[GameRound]:
        with self.world.bot.database.read() as session:
            found = personal_data.rows(session, self.place.guild.id)
        return found.get("game_round", [])

    def now(self, message: Any) -> Any:
        return next(each for each in self.place.channel.history() if each.id == message.id)


@pytest.fixture
def game(
    world: World, stratford: Place, tmp_path: Path, corpus_text: str, monkeypatch: pytest.MonkeyPatch
) -> Game:
    return Game(world, stratford, tmp_path, corpus_text, monkeypatch)


def line_of(message: Any) -> str:
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", message.content.removeprefix(">>> ")).replace("\u200b", "")


async def test_a_real_line_its_answers_and_its_solution(game: Game):
    message = await game.question()
    assert line_of(message) in game.text.lower(), "as the model reads it"
    assert "The solution comes <t:" in shown(message)
    told = await game.says(message, "Real")
    assert told.startswith("You say: Real. The solution comes within a minute.")
    assert "Your answers are not counted" in told
    assert await game.says(message, "Pastiche") == "You have already answered: Real."
    assert await game.says(message, "Pastiche", game.place.admin)
    await game.cog.closer.tick()
    assert "Answers" not in shown(game.now(message)), "it is too early"
    await game.a_minute_later()
    solved = game.now(message)
    assert line_of(solved) == line_of(message)
    assert "**Real.** It stands in the text that Bard learned from.\n" in shown(solved)
    assert re.search(r"Bard finds it: [\d.]+ nats a word; in text it never saw, [\d.]+\.", shown(solved))
    assert "1 of 2 was right." in shown(solved)
    assert not solved.components
    await until(lambda: game.rounds() == [])


async def test_a_pastiche_stands_nowhere_in_the_text(game: Game):
    game.chance(real=False)
    for _ in range(3):
        message = await game.question()
        line = line_of(message)
        assert SHORTEST <= len(line) <= LONGEST
        assert line.lower() not in game.text.lower()
        await game.a_minute_later()
        assert "**Pastiche.** Bard wrote it.\n" in shown(game.now(message))
        assert "Nobody answered." in shown(game.now(message))


@pytest.mark.slow
async def test_a_round_goes_on_after_a_restart_and_ends_although_it_is_late(game: Game):
    message = await game.question()
    await game.says(message, "Real")
    await game.world.restart()
    game.watch()
    told = await game.says(message, "Pastiche", game.place.admin)
    assert told.startswith("You say: Pastiche.")
    assert await game.says(message, "Real") == "You have already answered: Real."
    game.moment += datetime.timedelta(hours=5)
    assert await game.says(message, "Real", game.place.admin) == "This round is over."
    await game.cog.closer.tick()
    assert "1 of 2 was right." in shown(game.now(message))


async def test_a_solution_that_discord_does_not_take_now_is_told_later(
    game: Game, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(closing, "FIRST_PAUSE_S", 0.0)
    message = await game.question()
    refused = []
    real = discord.PartialMessage.edit

    async def busy(self: Any, **changes: Any) -> Any:
        if not refused:
            refused.append(changes)
            raise OSError("the connection is gone")
        return await real(self, **changes)

    monkeypatch.setattr(discord.PartialMessage, "edit", busy)
    await game.a_minute_later()
    assert len(game.rounds()) == 1
    await game.cog.closer.tick()
    assert refused
    await until(lambda: game.rounds() == [])
    assert "**Real.**" in shown(game.now(message))


async def test_a_round_whose_message_is_gone_ends_and_the_next_one_can_begin(game: Game):
    message = await game.question()
    assert "A round is under way" in private_line(await game.play())
    game.world.env.backend.delete_message(message.channel.id, message.id)
    await game.a_minute_later()
    await until(lambda: game.rounds() == [])
    await game.question()


async def test_scores_are_counted_only_for_those_who_want_it(game: Game):
    place = game.place
    told = shown(answer(await place.member.slash(place.channel, "game scores", keep=True)))
    assert "Nobody has a score yet." in told
    assert "Your answers are counted." in told
    for label in ("Real", "Real", "Pastiche"):
        message = await game.question()
        assert "not counted" not in await game.says(message, label)
        await game.says(message, "Real", place.admin)
        await game.a_minute_later()
    told = shown(answer(await place.admin.slash(place.channel, "game scores")))
    assert re.search(r"1\\?\. ben-\d+ · 2 of 3 right", told.replace("\\-", "-"))
    assert "ada-" not in told
    assert "Your answers are not counted." in told
    told = shown(answer(await place.member.slash(place.channel, "game scores", keep=False)))
    assert "Nobody has a score yet." in told


@pytest.mark.slow
async def test_privacy_shows_exports_and_deletes_scores_and_answers(game: Game):
    place = game.place
    for actor in (place.member, place.admin):
        await actor.slash(place.channel, "game scores", keep=True)
    for _ in range(2):
        message = await game.question()
        for actor in (place.member, place.admin):
            await game.says(message, "Real", actor)
        if _ == 0:
            await game.a_minute_later()
    told = shown(answer(await place.member.slash(place.channel, "privacy show")))
    assert "Scores in the game: **1**" in told
    assert "Answers in the game: **1**" in told
    file = answer(await place.member.slash(place.channel, "privacy export")).message.attachments[0]
    stored = json.loads(zipfile.ZipFile(io.BytesIO(await file.read())).read("stored.json"))
    (score,) = stored["tables"]["game_score"]
    assert (score["user_id"], score["rounds"], score["correct"]) == (str(place.member.id), 1, 1)
    assert len(stored["tables"]["game_answer"]) == 1
    for actor in (place.member, place.admin):  # one after the other: neither leaves a row behind
        asked = answer(await actor.slash(place.channel, "privacy delete"))
        await actor.click(asked.message, label="Delete for good")
    with game.world.bot.database.read() as session:
        assert session.query(GameScore).count() == session.query(GameAnswer).count() == 0
        assert [row.started_by for row in session.query(GameRound)] == [personal_data.DELETED_PERSON]
    # The admin's text is gone, and so are lines of it.
    await game.a_minute_later()
    assert "No model here was trained with lines" in private_line(await game.play())


async def test_lines_are_shown_only_where_the_uploader_allowed_it(game: Game, abbey: Place):
    game.allow(allowed=False)
    assert "No model here was trained with lines that may be shown." in private_line(await game.play())
    refused = private_line(await game.play(model="bard"))
    assert "Nobody allowed that lines of the text of Bard are shown." in refused
    game.allow()
    assert private_line(await game.play(model="Monk")) == private_line(await game.play(model="Monk"))
    assert "There is no model named “Monk” here." in private_line(await game.play(model="Monk"))
    assert "no model named “@\u200beveryone" in private_line(await game.play(model="@everyone"))
    told = private_line(await abbey.member.slash(abbey.channel, "game play"))
    assert "No model here was trained with lines" in told


async def test_train_keeps_what_the_uploader_allowed(world: World, corpus_text: str):
    place = world.place()
    world.hold_back()
    await train(place, corpus_text, quotes=True)
    await train(place, corpus_text, name="Other")
    with world.bot.database.read() as session:
        allowed = {
            job.model_name: corpora.get(session, place.guild.id, job.corpus_id).quotable
            for job in jobs(world, place)
        }
    assert allowed == {"Hamlet": True, "Other": False}


async def test_who_may_not_generate_may_not_begin_but_anybody_answers(game: Game):
    poets = game.place.guild.create_role("Poets")
    with game.world.bot.database.write() as session:
        guilds.edit(session, game.place.guild.id, generate_role_id=poets.id)
    assert "You need the role" in private_line(await game.play())
    message = answer(await game.play(game.place.admin)).message
    assert "You say: Real." in await game.says(message, "Real")


async def test_buttons_of_other_servers_and_of_no_round_do_nothing(game: Game, abbey: Place):
    message = await game.question()
    (row,) = game.rounds()
    for custom_id in (f"game:{row['id']}:real", f"game:{10**17}:pastiche"):
        told = await game.world.press_forged(abbey, abbey.member, custom_id)
        assert private_line(told) == "This round is over."
    with game.world.bot.database.read() as session:
        assert games.tally(session, game.place.guild.id, row["id"]) == games.Tally(0, 0)
    assert "You say" in await game.says(message, "Real")


async def test_a_deleted_model_is_named_no_more_and_the_round_still_ends(game: Game):
    message = await game.question()
    with game.world.bot.database.write() as session:
        model = text_models.by_name(session, game.place.guild.id, "Bard")
        text_models.delete(session, game.place.guild.id, model.id)
    await game.a_minute_later()
    assert "It stands in the text that the model learned from." in shown(game.now(message))


async def test_it_is_played_in_the_language_of_who_began(game: Game, monkeypatch: pytest.MonkeyPatch):
    game.world.speaks(monkeypatch, "de")
    message = await game.question()
    assert "Original oder Pastiche?" in shown(message)
    await game.a_minute_later()
    assert "**Original.**" in shown(game.now(message))


@pytest.mark.parametrize(
    ("line", "fit"),
    [
        ("The quality of mercy is not strained, it droppeth.", True),
        ("Étain, naïveté, façade; and the sea is wide and blue.", True),
        ("東京は今日も雨が降っている。明日は晴れるでしょうか、それとも雪か。", True),
        ("Too short a line.", False),
        ("word " * 60, False),
        ("Write to @everyone about the quality of mercy, please.", False),
        ("Look at https://example.com for the quality of mercy.", False),
        ("Join us at discord.gg/abcdef for the quality of mercy.", False),
        ("The quality \u202eof mercy is not strained, it droppeth.", False),
        ("The quality \ufffd of mercy is not strained, it droppeth.", False),
        ("The q.u.a.l.i.t.y of Mercy is not strained, it drops.", False),
        ("1234 5678 9012 ---- ==== 3456 7890 |||| 1234 5678 9012", False),
        *[(FAMILIES[name](150)[:200], False) for name in ("direction overrides", "flags", "marks in turn")],
    ],
)
def test_what_is_shown_pings_links_and_hides_nothing(line: str, fit: bool):
    assert is_fit(line, "quality" if "q.u.a" in line else "") is fit


def test_a_hidden_word_keeps_a_line_back():
    assert not is_fit("The QUALITY of mercy is not strained, it droppeth.", "quality")


def test_long_lines_are_parted_into_sentences():
    paragraph = "First comes this sentence, of some length. " * 3 + "A question, and what follows it? " * 3
    assert lines_of(f"one\n{paragraph}\ntwo")[1] == "First comes this sentence, of some length."
    assert lines_of(f"one\n{paragraph}\ntwo")[4] == "A question, and what follows it?"


def test_real_lines_are_whole_and_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lines, "_WINDOW_BYTES", 2_000)
    path = tmp_path / "text.txt"
    known = [
        f"Étude {'abcdefghij'[at % 10] * 9} of the {'xyzw'[at % 4] * 12} and so on." for at in range(2_000)
    ]
    path.write_text("\n".join(known), encoding="utf-8")
    found = [line for seed in range(30) for line in real_lines(path, "", random.Random(seed), 6)]
    assert len(found) == 180
    assert set(found) <= set(known)
    path.write_text("no line\n" * 100)
    assert real_lines(path, "", random.Random(1), 6) == []


def test_what_a_model_knows_by_heart_is_no_pastiche(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lines, "_READ_AT_ONCE", 64)
    path = tmp_path / "text.txt"
    path.write_text("x" * 50 + "\nThe quality of mercy is not strained, it droppeth.\n" + "y" * 100)
    written = [
        "x\nTHE QUALITY of mercy is not strained, it droppeth.\nIt drops as gentle rain from above it\nend",
        "The beginning is of the text that it learned from.\n" * 2 + "The last line may be cut off here",
    ]
    found = written_lines(path, written, "", random.Random(1))
    assert sorted(found) == [
        "It drops as gentle rain from above it",
        "The beginning is of the text that it learned from.",
    ]
