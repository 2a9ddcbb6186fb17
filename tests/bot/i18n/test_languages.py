"""Every text has a translation that fits it, and people are answered in their own language."""

import ast
import asyncio
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po
from discord import Locale

from bot import i18n
from bot.catalogues.messages import PACKAGE, template, tree_texts
from bot.catalogues.update import updated, written
from bot.i18n import LOCALES
from models import guilds
from tests.support.bot.trainings import train
from tests.support.bot.world import World, answer, private_line, shown

CATALOGUES = sorted(LOCALES.glob("*/pastiche.po"))
UPDATE = "run: python -m bot.catalogues.update"


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.name)


def forms(texts: str | tuple[str, ...]) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.name)
async def test_every_text_is_translated_and_no_other(world: World, path: Path):
    wanted = {message.id for message in template(world.bot.tree) if message.id}
    there = {message.id: message.string for message in catalogue(path) if message.id}
    assert wanted - set(there) == set(), UPDATE
    assert set(there) - wanted == set(), f"no longer used; {UPDATE}"
    assert [text for text, translation in there.items() if not all(forms(translation))] == []
    assert not any(message.fuzzy for message in catalogue(path) if message.id)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.name)
async def test_the_catalogue_is_as_the_update_writes_it(world: World, path: Path):
    before = await asyncio.to_thread(path.read_bytes)
    assert written(updated(path, template(world.bot.tree))) == before, UPDATE


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.name)
def test_translations_have_the_placeholders_of_their_texts(path: Path):
    for message in catalogue(path):
        if message.id:
            for original, translation in zip(forms(message.id), forms(message.string), strict=True):
                assert placeholders(original) == placeholders(translation), (original, translation)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.name)
async def test_descriptions_fit_into_discords_limits_in_every_language(world: World, path: Path):
    wanted = {text for text, where in tree_texts(world.bot.tree) if where.startswith("/")}
    for message in catalogue(path):
        if message.id in wanted:
            assert 1 <= len(message.string) <= 100, message.string


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_no_text_hides_where_the_catalogues_cannot_find_it(path: Path):
    """Inside of an f-string nothing is extracted, and a text made of variables has no translation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            hidden = [
                ast.unparse(call)
                for call in ast.walk(node)
                if isinstance(call, ast.Call)
                and isinstance(call.func, ast.Name)
                and call.func.id in ("_", "ngettext")
                and any(isinstance(argument, ast.Constant) for argument in call.args)
            ]
            assert hidden == [], f"{path.name}: {hidden}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "marked"):
            assert not any(isinstance(argument, ast.JoinedStr | ast.BinOp) for argument in node.args), (
                f"{path.name}: {ast.unparse(node)}"
            )


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.name)
async def test_an_empty_catalogue_takes_its_translations_from_another(
    world: World, path: Path, tmp_path: Path
):
    empty = tmp_path / path.parent.name / path.name
    await asyncio.to_thread(empty.parent.mkdir)
    await asyncio.to_thread(empty.write_bytes, b"")
    taken = updated(empty, template(world.bot.tree), path)
    assert {message.id: message.string for message in taken if message.id} == {
        message.id: message.string for message in catalogue(path) if message.id
    }


@pytest.mark.slow
def test_the_update_runs_and_finds_nothing_to_do():
    before = [path.read_bytes() for path in CATALOGUES]
    done = subprocess.run(
        [sys.executable, "-m", "bot.catalogues.update"],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.read_bytes() for path in CATALOGUES] == before


async def test_a_german_is_answered_in_german_and_an_american_in_english(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    stratford = world.place()
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, temperature=1.25)

    async def said(command: str, **options) -> str:
        return shown(answer(await stratford.admin.slash(stratford.channel, command, **options)))

    assert "There is no model here yet." in await said("models")
    english = await said("settings show")
    assert "Writing" in english
    assert "1.25** · default: 0.7" in english
    world.speaks(monkeypatch, "de")
    assert "Hier gibt es noch kein Modell." in await said("models")
    german = await said("settings show")
    assert "Schreiben" in german
    assert "1,25** · Standard: 0,7" in german
    assert "◇ `length` 500 Zeichen" in german
    assert "Auf diesem Server über dich gespeichert" in await said("privacy show")
    assert "Schreibt einen Text im Stil eines Modells" in await said("help")
    world.speaks(monkeypatch, "fr")
    assert "There is no model here yet." in await said("models")


async def test_what_the_rooms_below_refuse_is_said_in_the_readers_language(
    world: World, trained_bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    stratford = world.place()
    world.give_model(stratford, trained_bundle)
    world.speaks(monkeypatch, "de")

    assert "Das Korpus hat 4 Zeichen; mindestens 500 sind nötig" in private_line(
        await train(stratford, "kurz")
    )
    assert "hamlet.txt ist ein PDF-Dokument, kein" in private_line(await train(stratford, b"%PDF-1.7"))
    nameless = private_line(await train(stratford, "kurz", name="Fa\u200bust"))
    assert "kann das unsichtbare Zeichen U+200B nicht enthalten" in nameless
    unseen = await stratford.admin.slash(stratford.channel, "generate", seed="🦉")
    assert "Das Modell hat '🦉' nie gesehen; schreibe" in private_line(unseen)


async def test_a_button_answers_in_the_language_of_who_presses_it(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    stratford = world.place()
    card = answer(await stratford.admin.slash(stratford.channel, "settings show"))
    world.speaks(monkeypatch, "de")
    trail = answer(await stratford.admin.click(card.message, label="Recent changes"))
    assert "Letzte Änderungen" in shown(trail)
    line = private_line(await world.press_forged(stratford, stratford.member, "settings:changes"))
    assert line == "Dafür brauchst du das Recht „Server verwalten“."


async def test_discord_is_given_descriptions_and_choices_in_german_and_names_in_english(world: World):
    payload = {
        command.name: await command.get_translated_payload(world.bot.tree, world.bot.tree.translator)
        for command in world.bot.tree.get_commands()
    }
    settings = payload["settings"]
    assert settings["description_localizations"] == {"de": "Wie dieser Server den Bot nutzt."}
    assert settings["name_localizations"] == {}
    reset = next(option for option in settings["options"] if option["name"] == "reset")
    assert reset["options"][0]["description_localizations"] == {"de": "Welche"}
    assert reset["options"][0]["choices"][0]["name_localizations"] == {"de": "alle Einstellungen"}


PLURALS = {
    # What each language's own rule makes of these numbers: the index of the form.
    "pl": (
        "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);",
        {0: 2, 1: 0, 2: 1, 4: 1, 5: 2, 12: 2, 22: 1, 25: 2, 101: 2},
    ),
    "ar": (
        "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 "
        ": n%100>=11 && n%100<=99 ? 4 : 5);",
        {0: 0, 1: 1, 2: 2, 3: 3, 10: 3, 11: 4, 99: 4, 100: 5, 103: 3},
    ),
    "ja": ("nplurals=1; plural=0;", {0: 0, 1: 0, 2: 0, 100: 0}),
    "pt_BR": ("nplurals=2; plural=(n > 1);", {0: 0, 1: 0, 2: 1}),
    # No header: what is known of the language itself.
    "cs": ("", {1: 0, 2: 1, 5: 2}),
}


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Catalogues of other languages, with one text that has as many forms as the language."""
    for name, (rule, expected) in PLURALS.items():
        many = [f'msgstr[{form}] "form {form} of {{number}}"' for form in range(max(expected.values()) + 1)]
        header = ['msgid ""', 'msgstr ""', r'"Content-Type: text/plain; charset=utf-8\n"']
        header += [rf'"Plural-Forms: {rule}\n"'] if rule else []
        (tmp_path / name).mkdir()
        (tmp_path / name / "pastiche.po").write_text(
            "\n".join([*header, "", 'msgid "{number} model"', 'msgid_plural "{number} models"', *many, ""]),
            encoding="utf-8",
        )
    monkeypatch.setattr(i18n, "LOCALES", tmp_path)
    for cached in (i18n.languages, i18n._language, i18n._catalogue):
        cached.cache_clear()
    yield tmp_path
    for cached in (i18n.languages, i18n._language, i18n._catalogue):
        cached.cache_clear()


@pytest.mark.parametrize("name", PLURALS)
def test_every_number_gets_the_form_that_its_language_gives_it(catalogues: Path, name: str):
    reader = i18n.locale.set(name.replace("_", "-"))
    try:
        for number, form in PLURALS[name][1].items():
            told = i18n.ngettext("{number} model", "{number} models", number)
            assert told == f"form {form} of {{number}}", number
        assert i18n.ngettext("one text", "texts", 1) == "one text", "it has no translation"
        assert i18n.ngettext("one text", "texts", 5) == "texts"
        assert i18n._("") == ""
    finally:
        i18n.locale.reset(reader)


def test_the_update_keeps_a_languages_own_rule_and_finds_missing_forms(catalogues: Path):
    wanted = Catalog()
    wanted.add(("{number} model", "{number} models"))
    for name, (rule, expected) in PLURALS.items():
        new = updated(catalogues / name / "pastiche.po", wanted)
        assert not rule or new.plural_forms == rule
        assert len(new[("{number} model", "{number} models")].string) == max(expected.values()) + 1
    short = catalogues / "pl" / "pastiche.po"
    short.write_text(short.read_text(encoding="utf-8").replace("msgstr[2]", "#"), encoding="utf-8")
    assert not all(updated(short, wanted)[("{number} model", "{number} models")].string)


def test_a_locale_with_a_region_finds_its_language():
    assert i18n.translated("everyone", "de-AT") == "alle"
    assert i18n.translated("everyone", "en-GB") == "everyone"
    assert i18n.translated("no such text", "de") == "no such text"
    assert Locale.german.value in i18n.languages()
