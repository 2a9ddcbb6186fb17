from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, load_settings
from bot.settings.discord_api import read_api
from tests.support.bot.processes import TOKEN


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "DISCORD_TOKEN",
        "DATABASE_URL",
        "DISCORD_TOKEN_FILE",
        "DATABASE_URL_FILE",
        "PASTICHE_DATA_DIR",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_defaults_lie_below_the_working_directory(tmp_path: Path):
    settings = load_settings()
    assert settings.data_dir == tmp_path / "var"
    assert settings.database_url == f"sqlite:///{tmp_path}/var/pastiche.sqlite"
    assert not settings.data_dir.exists()


def test_the_environment_and_dotenv_are_read_and_keywords_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / ".env").write_text(
        f"DISCORD_TOKEN={TOKEN}\nPASTICHE_SAMPLERS=3\nPASTICHE_DATA_DIR=/from/dotenv\n"
    )
    monkeypatch.setenv("PASTICHE_DATA_DIR", "/from/environment")
    settings = load_settings(samplers=2)
    assert settings.require_token() == TOKEN
    assert settings.data_dir == Path("/from/environment")
    assert settings.samplers == 2


def test_the_token_is_in_no_text_of_the_settings():
    settings = load_settings(discord_token=TOKEN)
    assert TOKEN not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize("token", ["", "hello", "Bot " + TOKEN, TOKEN[:-30], f"{TOKEN}.x"])
def test_a_token_that_is_none_is_refused_without_repeating_it(token: str):
    with pytest.raises(SettingsError) as refusal:
        load_settings(discord_token=token).require_token()
    assert "DISCORD_TOKEN" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not token or token not in str(refusal.value)


def test_a_token_and_an_address_may_lie_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "url").write_text("postgresql+psycopg://pastiche:secret@db/pastiche\n")
    monkeypatch.setenv("DISCORD_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))
    settings = load_settings()
    assert settings.require_token() == TOKEN
    assert settings.database_url == "postgresql+psycopg://pastiche:secret@db/pastiche"
    assert TOKEN not in f"{settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize("name", ["DISCORD_TOKEN", "DATABASE_URL"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "must hold one word and nothing else"),
        (b"secret word", "must hold one word and nothing else"),
        (b"secret" * 1000, "must hold one word and nothing else"),
        (b"secret\xff", "cannot be read: it is not plain text"),
    ],
)
def test_a_file_that_holds_no_secret_is_one_line(
    name: str, content: bytes | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(f"{name}_FILE", str(path))
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert str(refusal.value) == f"{name}_FILE is {path}, which {says}"


def test_a_secret_that_is_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setenv("DISCORD_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(SettingsError, match="DISCORD_TOKEN and DISCORD_TOKEN_FILE are both set: keep one"):
        load_settings(discord_token=TOKEN)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASTICHE_SAMPLERS", "0"),
        ("PASTICHE_SAMPLERS", "many"),
        ("PASTICHE_MAX_CORPUS_BYTES", "1"),
        ("PASTICHE_LOG_LEVEL", "LOUD"),
        ("PASTICHE_JOBS", "somewhere"),
        ("PASTICHE_METRICS", "9464"),
        ("PASTICHE_METRICS", "127.0.0.1:70000"),
        ("PASTICHE_METRICS", "::1:9464"),
    ],
)
def test_a_value_out_of_bounds_is_one_line_naming_the_setting(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert name in str(refusal.value)
    assert repr(value) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(SettingsError, match="more than max_training_minutes"):
        load_settings(training_minutes=10, max_training_minutes=5)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", None),
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("[::]:9464", ("::", 9464)),
        ("metrics.internal:80", ("metrics.internal", 80)),
    ],
)
def test_an_address_is_read(text: str, address: tuple[str, int] | None):
    assert load_settings(metrics=text).metrics_address == address


def test_every_setting_has_a_description():
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("count", "ids", "served"),
    [
        (None, "", {0}),
        (1, "", {0}),
        (4, "", {0, 1, 2, 3}),
        (4, "0-2", {0, 1, 2}),
        (4, " 3 , 0 ", {0, 3}),
        (16, "0-3,8,12-13", {0, 1, 2, 3, 8, 12, 13}),
    ],
)
def test_the_shards_of_a_process_are_read(count: int | None, ids: str, served: set[int]):
    assert load_settings(shards=count, shard_ids=ids).served_shards == (count or 1, served)


@pytest.mark.parametrize(
    ("count", "ids", "says"),
    [
        (None, "0", "without PASTICHE_SHARDS"),
        (2, "2", "with 2 shards .* 0 to 1"),
        (4, "0-4", "0 to 3"),
        (4, "0,1,0", "shard 0 twice"),
        (4, "0-2,2-3", "shard 2 twice"),
        (4, "3-1", "no range"),
        (4, "0,,1", "no shard"),
        (4, "-1", "no shard"),
        (4, "all", "no shard"),
        (4, "٣", "no shard"),
        (0, "", "PASTICHE_SHARDS is 0"),
    ],
)
def test_shards_that_cannot_be_served_are_refused_in_one_line(count: int | None, ids: str, says: str):
    with pytest.raises(SettingsError, match=says) as refusal:
        load_settings(shards=count, shard_ids=ids)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("", ""),
        ("http://proxy:8080", "http://proxy:8080/api/v10"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/api/v10"),
        ("https://proxy.example/api", "https://proxy.example/api/v10"),
        ("http://[::1]:80/api/v10/", "http://[::1]:80/api/v10"),
    ],
)
def test_a_proxy_is_named_with_or_without_the_path_of_the_api(given: str, used: str):
    assert read_api(load_settings(discord_api=given).discord_api) == used


@pytest.mark.parametrize(
    "url",
    [
        "proxy:8080",
        "ftp://proxy",
        "http://",
        "http://proxy:0",
        "http://proxy:99999",
        "http://proxy/api/v9",
        "http://proxy/?x=1",
        "http://user:secret@proxy",
        "http://[::1",
        "http://pröxy",
    ],
)
def test_an_address_that_is_no_proxy_is_refused_in_one_line(url: str):
    with pytest.raises(SettingsError, match="DISCORD_API is") as refusal:
        load_settings(discord_api=url)
    assert "\n" not in str(refusal.value)
