"""The two wheels: what they hold, and what a user of an environment with nothing else gets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import uv
from packaging.requirements import Requirement

from tests.support import wheelhouse

ROOT = Path(__file__).parents[2]
PROJECTS = {"pastiche_textgen": ".", "pastiche_bot": "distributions/pastiche-bot"}
LIMIT_MB = 150
Run = Callable[..., subprocess.CompletedProcess[str]]


def project(name: str) -> dict[str, object]:
    return tomllib.loads((ROOT / PROJECTS[name] / "pyproject.toml").read_text())["project"]


def test_the_distributions_are_released_together() -> None:
    library, bot = project("pastiche_textgen"), project("pastiche_bot")
    for key in ("version", "requires-python", "license", "authors"):
        assert bot[key] == library[key], key
    extras = library["optional-dependencies"]
    needed = [bot["dependencies"], *bot["optional-dependencies"].values()]
    for requirement in (Requirement(line) for lines in needed for line in lines):
        assert requirement.name == library["name"]
        assert str(requirement.specifier) == f"=={library['version']}"
        assert requirement.extras <= set(extras)


def test_tensorflow_comes_only_with_the_extras_that_name_it() -> None:
    """`[jax]` and `[torch]` bring Keras with another backend."""
    library = project("pastiche_textgen")
    extras = library["optional-dependencies"]

    def brought(extra: str) -> set[str]:
        found = set()
        for requirement in map(Requirement, extras[extra]):
            inner = requirement.extras if requirement.name == library["name"] else ()
            found |= {requirement.name}.union(*map(brought, inner))
        return found

    with_tensorflow = {extra for extra in extras if "tensorflow" in brought(extra)}
    assert with_tensorflow == {"train", "gpu"}
    assert all("keras" in brought(extra) for extra in ("train", "gpu", "jax", "torch"))
    assert not {"keras", "tensorflow", "jax", "torch"} & {
        Requirement(x).name for x in library["dependencies"]
    }


@pytest.fixture(scope="module")
def wheels(project_files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both wheels, built from a copy of the project's files."""
    links = [str(path.relative_to(ROOT)) for path in (ROOT / "distributions").rglob("*") if path.is_symlink()]
    code = [
        name for name in project_files if name.split("/")[0] in {"bot", "textgen", "models", "migrations"}
    ]
    about = ["pyproject.toml", "README.md", "LICENSE"]
    rest = [name for name in project_files if name.startswith("distributions/") and name not in links]
    copy = wheelhouse.copy_of(ROOT, [*code, *about, *rest, *links], tmp_path_factory.mktemp("checkout"))
    built = wheelhouse.build(copy, PROJECTS.values(), tmp_path_factory.mktemp("wheels"))
    return {path.name.split("-")[0]: path for path in built}


@pytest.fixture(scope="module")
def house(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both wheels and what the library's base requires, in place of a registry."""
    folder = tmp_path_factory.mktemp("house")
    for wheel in wheels.values():
        shutil.copy(wheel, folder)
    base = project("pastiche_textgen")["dependencies"]
    wheelhouse.pack(wheelhouse.closure(base), folder)
    return folder


@pytest.fixture(scope="module")
def environment(house: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the library's wheel and what that wheel asks for."""
    made = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
    command = [
        uv.find_uv_bin(),
        "pip",
        "install",
        "--python",
        made / "bin" / "python",
        "--no-config",
        "--offline",
    ]
    packed = ["--no-cache", "--no-index", "--find-links", house, "pastiche-textgen"]
    done = subprocess.run([*command, *packed], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def run(environment: Path, tmp_path: Path) -> Run:
    """Run a command of the environment as its user would, in a folder of their own."""
    own = {"PATH": f"{environment / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=280, check=False
        )

    return call


@pytest.mark.slow
def test_each_wheel_holds_its_own_packages_alone(wheels: dict[str, Path]) -> None:
    held = {}
    for name, path in wheels.items():
        with zipfile.ZipFile(path) as wheel:
            held[name] = wheel.namelist()
    tops = {
        name: {file.split("/")[0] for file in files if ".dist-info/" not in file}
        for name, files in held.items()
    }
    assert tops == {"pastiche_textgen": {"textgen"}, "pastiche_bot": {"bot", "models", "migrations"}}
    for name, files in held.items():
        packed = {file for file in files if ".dist-info/" not in file}
        there = {
            str(path.relative_to(ROOT))
            for top in tops[name]
            for suffix in (".py", ".po", ".mako", ".css", ".html", ".js", ".typed")
            for path in (ROOT / top).rglob(f"*{suffix}")
        }
        assert there <= packed, name
        assert f"{name}-{project(name)['version']}.dist-info/licenses/LICENSE" in files
    assert "bot/i18n/locales/de/pastiche.po" in held["pastiche_bot"]


@pytest.mark.slow
def test_the_base_is_small_and_leaves_a_users_names_alone(environment: Path, run: Run) -> None:
    taken = sum(path.lstat().st_size for path in environment.rglob("*") if path.is_file())
    assert taken < LIMIT_MB * 1e6
    found = run("python", "-c", "import importlib.util as u; print([n for n in "
                "('bot', 'models', 'migrations', 'keras', 'tensorflow') if u.find_spec(n)])")  # fmt: skip
    assert found.stdout == "[]\n", found.stderr
    assert run("textgen", "--help").returncode == 0


@pytest.mark.slow
def test_without_keras_the_counts_are_trained_with_a_line_about_the_rest(
    run: Run, tmp_path: Path, corpus_text: str
) -> None:
    (tmp_path / "notes.txt").write_text(corpus_text[:30_000], encoding="utf-8")
    trained = run("textgen", "train", "notes.txt")
    assert trained.returncode == 0, trained.stderr
    (told,) = [line for line in trained.stderr.splitlines() if "Keras" in line]
    assert "[train]" in told
    assert "the counts alone" in told
    assert "no time" not in trained.stderr
    assert trained.stdout.startswith("model: validation loss")
    sampled = run("textgen", "sample", "model", "--length", "200", "--random-seed", "7")
    assert sampled.returncode == 0, sampled.stderr
    assert len(sampled.stdout) > 150
    shown = run("textgen", "inspect", "model", "--json")
    assert json.loads(shown.stdout)["stopped"] == "a missing package before the first step"
    events = run("textgen", "train", "notes.txt", "--events").stdout.splitlines()
    assert json.loads(events[0])["lacking"] == "keras"
    for command in (["evaluate", "--model", "model", "notes.txt"], ["export", "model", "--html", "m.html"]):
        done = run("textgen", *command)
        assert done.returncode == 0, done.stderr


MISSING = [
    (["train", "notes.txt", "--preset", "classic"], "[train]"),
    (["train", "notes.txt", "--level", "subword"], "[tokenizers]"),
    (["train", "notes.txt", "--tensorboard", "board"], "[tensorboard]"),
    (["corpus", "shakespeare", "plays"], "[corpus]"),
    (["serve", "--http", "model"], "[serve]"),
    (["benchmark"], "[train]"),
    (["base", "add", "hf:owner/name"], "[tokenizers]"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "extra"), MISSING, ids=[" ".join(each[0][:2]) for each in MISSING])
def test_a_missing_package_is_one_line_that_names_its_extra(
    run: Run, tmp_path: Path, corpus_text: str, arguments: list[str], extra: str
) -> None:
    (tmp_path / "notes.txt").write_text(corpus_text[:30_000], encoding="utf-8")
    done = run("textgen", *arguments)
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "is not installed" in line
    assert f"pip install '.{extra}' in a checkout of Pastiche" in line
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == ["notes.txt"]


@pytest.mark.slow
def test_what_runs_tools_runs_the_built_file(house: Path, wheels: dict[str, Path], tmp_path: Path) -> None:
    """`uvx` and `pipx run`, each with the wheel in place of the name."""
    wheel = str(wheels["pastiche_textgen"])
    own = {
        **os.environ,
        "HOME": str(tmp_path),
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "PIPX_HOME": str(tmp_path / "pipx"),
    }
    # The registries of this machine, if its settings name some, are not asked.
    for name in [name for name in own if name.startswith(("PIP_", "UV_INDEX", "UV_DEFAULT"))]:
        del own[name]
    own["PIP_CONFIG_FILE"] = os.devnull
    offline = ["--no-index", "--find-links", str(house)]
    uvx = [uv.find_uv_bin(), "tool", "run", "--python", sys.executable, "--no-config", "--offline", *offline]
    pipx = [
        sys.executable,
        "-m",
        "pipx",
        "run",
        "--python",
        sys.executable,
        f"--pip-args={' '.join(offline)}",
    ]
    for command in ([*uvx, "--from", wheel], [*pipx, "--spec", wheel]):
        done = subprocess.run(
            [*command, "textgen", "--version"],
            env=own,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"textgen, version {project('pastiche_textgen')['version']}\n"
