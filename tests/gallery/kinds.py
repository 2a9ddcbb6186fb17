"""The one list of what the gallery shows, and what of the bot makes something to show.

A new card needs an entry in a scene and in `SCENES`; the test of the gallery names the cards that have none.
"""

import ast
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

import bot
from tests.gallery.scenes import authorship, guessing, models, privacy, schedules, server, training, writing
from tests.gallery.stage import Shown, Stage

PACKAGE = Path(bot.__file__).parent
CARDS = frozenset({"Embed"})
"""What a card is made of: names that code calls to begin one."""

Scene = Callable[[Stage], Awaitable[None]]

SCENES: Mapping[Scene, tuple[str, ...]] = {
    server.scene: (
        "welcome", "help", "help for one command", "about", "what can be set", "settings changed",
        "settings", "settings reset", "recent changes", "refused: no permission",
    ),
    training.scene: (
        "jobs, none", "refused: no rights", "refused: no text", "refused: too short", "refused: a chat",
        "train: queued, to the person", "training queued", "training queued, with notes",
        "training starts", "training", "jobs", "training finishes early", "training done",
        "made the default, to the person", "cancelled, to the person", "training cancelled",
        "training failed",
    ),
    writing.scene: (
        "refused: no model yet", "sample", "sample with every option", "samples", "sample as a file",
        "sample that continues", "report sent", "reported", "refused: unknown model",
        "refused: unseen seed", "refused: too soon", "refused: an unexpected error", "sample shortened",
    ),
    authorship.scene: (
        "did you write this: yes", "did you write this: changed", "did you write this: no code",
        "did you write this: other model",
    ),
    guessing.scene: (
        "who wrote it", "who wrote it: none of them", "refused: no lines", "game", "game, answered",
        "game scores, none", "game, solved", "game scores",
    ),
    models.scene: (
        "models, none", "model", "model exported", "form: web page", "model as a web page",
        "form: import", "model imported", "model, default and imported", "form: rename", "models",
        "delete the model?", "model deleted", "models, two pages",
    ),
    schedules.scene: (
        "refused: unreadable rule", "schedules, none", "schedule dropped", "schedule preview",
        "schedule saved", "schedule paused", "schedules", "schedule run", "post", "posts stopped",
        "schedule resumed", "notice of a pause", "schedule removed",
    ),
    privacy.scene: (
        "privacy, nothing", "nothing to delete", "privacy", "privacy of a manager", "privacy export",
        "delete my data?", "deleted", "delete the server's data?",
    ),
}  # fmt: skip


async def run_scenes(stage: Stage, scenes: Collection[str] = ()) -> list[Shown]:
    """Run every scene, or those whose files are named so, each on a server of its own.

    Returns:
        What people were shown.
    """
    for scene in SCENES:
        if not scenes or name_of(scene) in scenes:
            stage.begin(name_of(scene))
            await scene(stage)
    return stage.shown


def name_of(scene: Scene) -> str:
    """The name of a scene's file."""
    return scene.__module__.rpartition(".")[2]


def makers() -> frozenset[str]:
    """Every function of the bot that begins a card, such as `embeds.about_card.about_card`."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found |= {f"{module}.{name}" for name, _, _ in _makers_in(path)}
    return frozenset(found)


def maker_at(path: str, line: int) -> str | None:
    """The function of the bot that begins a card at a line of a file; None: not the bot's."""
    file = Path(path)
    if not file.is_relative_to(PACKAGE):
        return None
    module = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
    return next((f"{module}.{name}" for name, low, high in _makers_in(file) if low <= line <= high), None)


def _makers_in(path: Path) -> list[tuple[str, int, int]]:
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [
        (function.name, call.lineno, call.end_lineno or call.lineno)
        for function in functions
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in CARDS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "discord"
    ]
