"""The server of a sampling process: batches, turns, and models that come and go, without a process."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.textgen import bases
from tests.support.textgen.bundles import write_random_bundle, write_tuned_bundle
from tests.support.textgen.serving import request, serve_all
from textgen.blending import blend
from textgen.errors import BundleError
from textgen.evaluation.authorship.who import who
from textgen.model import TextModel
from textgen.pretrained import store
from textgen.receipts.code import Receipt
from textgen.sampling.engine import Engine
from textgen.serving.loading import Loader
from textgen.serving.server import Server


class Loads:
    """Every bundle that is read, by its name; until `may_end` is set, no reading ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self.may_end = threading.Event()
        self._load = TextModel.load
        monkeypatch.setattr(TextModel, "load", staticmethod(self._recorded))

    def _recorded(self, path: Path) -> TextModel:
        self.names.append(path.name)
        self.may_end.wait(30)
        return self._load(path)


def test_a_cancelled_request_gets_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "model"
    write_random_bundle(path)
    answers: list[dict[str, Any]] = []
    server = Server(answers.append)
    server.handle(json.dumps({"op": "cancel", "id": "never asked"}))
    server.handle(json.dumps(request("long", path, length=1_000_000, count=3)))
    server.handle(json.dumps(request("short", path, length=30, random_seed=4)))
    for _ in range(10):
        server.advance()
    server.handle(json.dumps({"op": "cancel", "id": "long"}))
    for _ in range(30):
        server.advance()
    assert server.idle
    assert [answer["id"] for answer in answers] == ["short"]
    assert answers[0]["text"] == TextModel.load(path).generate("the ", length=30, random_seed=4)


def test_long_seeds_are_scored_in_parts_between_the_texts_of_others(tmp_path: Path) -> None:
    path = tmp_path / "model"
    write_random_bundle(path)
    model, seed = TextModel.load(path), "the end " * 200
    answers: list[dict[str, Any]] = []
    server = Server(answers.append)
    for identity in ("long", "dropped"):
        asked = {**request(identity, path, seed), "op": "score", "scores": 1}
        server.handle(json.dumps(asked))
    server.handle(json.dumps(request("text", path, length=5, random_seed=1)))
    server.handle(json.dumps({"op": "cancel", "id": "dropped"}))
    serve_all(server)
    parts = [answer["scores"] for answer in answers if "scores" in answer]
    scores = [score for part in parts for score in part]
    assert len(parts) == 7
    assert "".join(token for token, *_ in scores) == seed
    assert scores[0][2] is None
    assert [score[2] for score in scores[1:]] == pytest.approx(model.log_probabilities(seed).tolist())
    assert answers[-1] == {"id": "long", "seed": seed, "tokens": [1600, 0]}
    assert [answer["id"] for answer in answers if "text" in answer] == ["text"]
    assert {answer["id"] for answer in answers} == {"long", "text"}


def test_how_likely_a_model_wrote_a_text_is_answered_while_others_are_written(tmp_path: Path) -> None:
    path = tmp_path / "model"
    write_random_bundle(path, "linear")
    model = TextModel.load(path)
    text = "the tin hat is on a tin lid " * 40
    answers: list[dict[str, Any]] = []
    server = Server(answers.append)
    asked = {"op": "who", "bundle": str(path), "text": text}
    for identity in ("asked", "dropped"):
        server.handle(json.dumps({"id": identity, **asked}))
    server.handle(json.dumps({"id": "short", **asked, "text": " a tin "}))
    server.handle(json.dumps({"id": "long", **asked, "text": "a" * 20_001}))
    server.handle(json.dumps(request("text", path, length=3, random_seed=1)))
    server.handle(json.dumps({"op": "cancel", "id": "dropped"}))
    serve_all(server)
    by_id = {answer["id"]: answer for answer in answers}
    assert [answer["id"] for answer in answers] == ["short", "long", "text", "asked"]
    assert "at least 20 are needed" in by_id["short"]["error"]["message"]
    assert "up to 20000 can be read" in by_id["long"]["error"]["message"]
    told = by_id["asked"]
    (known,) = who(text, [model])
    assert told["words"] == text.split()
    assert told["as_read"] == text.strip()
    assert told["likelihood"]["nats_per_word"] == known.nats_per_word
    assert len(told["likelihood"]["words"]) == len(told["words"])


def test_a_bundle_that_cannot_be_loaded_is_read_once_and_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[dict[str, Any]] = []
    server = Server(answers.append)
    loads = Loads(monkeypatch)
    loads.may_end.set()
    bundle = tmp_path / "bundle"
    write_random_bundle(bundle, "gru")
    weights = (bundle / "weights.safetensors").read_bytes()
    (bundle / "weights.safetensors").write_bytes(weights[:-1])
    for _ in range(5):
        server.handle(json.dumps(request("1", bundle, length=5)))
        serve_all(server)
    assert loads.names == ["bundle"]
    assert [answer["error"]["type"] for answer in answers] == ["BundleError"] * 5
    (bundle / "weights.safetensors").write_bytes(weights)
    server.handle(json.dumps(request("2", bundle, length=5)))
    serve_all(server)
    assert answers[-1]["characters"] == 5


def test_a_remembered_failure_keeps_nothing_of_the_requests_that_met_it(tmp_path: Path) -> None:
    loader, missing = Loader(), str(tmp_path / "missing")
    loader.ask(missing)
    while not loader.done(1.0):
        pass
    frames = set()
    for _ in range(3):
        with pytest.raises(BundleError) as failure:
            loader.check(missing)
        frames.add(len(failure.traceback))
    assert len(frames) == 1


def test_a_text_continues_while_another_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[dict[str, Any]] = []
    server = Server(answers.append)
    for name in ("quick", "slow"):
        write_random_bundle(tmp_path / name, "gru")
    server.handle(json.dumps(request("warm", tmp_path / "quick", length=1)))
    serve_all(server)
    loads = Loads(monkeypatch)
    for identity, name in (("1", "slow"), ("2", "slow"), ("3", "slow"), ("4", "quick")):
        server.handle(json.dumps(request(identity, tmp_path / name, length=20)))
    server.handle(json.dumps({"op": "cancel", "id": "2"}))
    server.handle(json.dumps({"op": "ping", "id": "5"}))
    while len(answers) < 3:
        server.advance()
    assert [answer["id"] for answer in answers] == ["warm", "5", "4"]
    assert answers[1] == {"id": "5", "pong": True}
    loads.may_end.set()
    serve_all(server)
    assert sorted(answer["id"] for answer in answers[3:]) == ["1", "3"]


def test_a_model_is_loaded_once_even_if_the_request_that_asked_for_it_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[dict[str, Any]] = []
    server = Server(answers.append)
    for name in ("slow", "other"):
        write_random_bundle(tmp_path / name, "gru")
    loads = Loads(monkeypatch)
    server.handle(json.dumps(request("cancelled", tmp_path / "slow", length=20)))
    server.handle(json.dumps({"op": "cancel", "id": "cancelled"}))
    server.handle(json.dumps(request("next", tmp_path / "slow", length=20)))
    server.handle(json.dumps(request("other", tmp_path / "other", length=20)))
    loads.may_end.set()
    serve_all(server)
    assert sorted(answer["id"] for answer in answers) == ["next", "other"]
    assert loads.names == ["slow", "other"]


def test_models_take_turns_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose steps take ten times as long gets as much time as the other, not as many tokens."""
    answers: list[dict[str, Any]] = []
    server = Server(answers.append)
    for name in ("quick", "slow"):
        write_random_bundle(tmp_path / name, "gru")
        server.handle(json.dumps(request(f"warm {name}", tmp_path / name, length=1)))
    serve_all(server)
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    steps = {"quick": 0, "slow": 0}
    step = Engine.step

    def timed(engine: Engine) -> Any:
        (name,) = (Path(path).name for path, each in server._loaded.items() if each.batch.engine is engine)
        steps[name] += 1
        now[0] += 0.001 if name == "quick" else 0.01
        return step(engine)

    monkeypatch.setattr(Engine, "step", timed)
    for name in ("slow", "quick"):
        server.handle(
            json.dumps({**request(name, tmp_path / name, length=400), "server": name, "measure": True})
        )
    serve_all(server)
    assert [answer["id"] for answer in answers[-2:]] == ["quick", "slow"]
    assert answers[-1]["step_s"] > 5 * answers[-2]["step_s"]
    assert answers[-1]["load_s"] > 0


def test_fine_tunings_of_a_base_are_written_in_one_batch_and_each_as_if_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTGEN_BASES", str(tmp_path / "bases"))
    bases.add()
    models = {
        name: write_tuned_bundle(tmp_path / name, store.find("tiny"), n) for n, name in enumerate("abc")
    }
    write_random_bundle(tmp_path / "other")
    answers: list[dict[str, Any]] = []
    server = Server(answers.append)
    for name in (*models, "other"):
        server.handle(json.dumps(request(f"warm {name}", tmp_path / name, length=1)))
    serve_all(server)
    answers.clear()
    steps: list[int] = []
    step = Engine.step
    monkeypatch.setattr(Engine, "step", lambda engine: steps.append(len(engine._active)) or step(engine))

    for name in models:
        server.handle(json.dumps(request(name, tmp_path / name, length=30, random_seed=5)))
    server.handle(json.dumps(request("dropped", tmp_path / "b", length=30)))
    server.advance()
    server.handle(json.dumps({"op": "cancel", "id": "dropped"}))
    # It belongs to a text of the batch, but its own model has nothing to do: it may leave.
    held = server._loaded[str(tmp_path / "c")]
    assert not held.idle
    serve_all(server)

    assert held.idle
    assert {answer["id"]: answer["text"] for answer in answers} == {
        name: model.generate("the ", length=30, random_seed=5) for name, model in models.items()
    }
    assert max(steps) >= len(models)
    batches = {id(server._loaded[str(tmp_path / name)].batch) for name in (*models, "other")}
    assert len(batches) == 2


def test_blends_share_the_memory_of_their_parts_and_go_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, cell in (("one", "lstm"), ("two", "gru"), ("three", "linear")):
        write_random_bundle(tmp_path / name, cell)
    one, two, three = (TextModel.load(tmp_path / name) for name in ("one", "two", "three"))
    answers: list[dict[str, Any]] = []
    server = Server(answers.append)

    def ask(bundle: str, other: str | None = None, mix: float = 0.5) -> str:
        asked = request("r", tmp_path / bundle, length=20, random_seed=4)
        blended = {} if other is None else {"with": {"bundle": str(tmp_path / other), "mix": mix}}
        server.handle(json.dumps(asked | blended))
        serve_all(server)
        return str(answers.pop()["text"])

    monkeypatch.setattr("textgen.serving.server.CACHED_BYTES", one.memory + two.memory)
    monkeypatch.setattr("textgen.serving.server.MOST_BLENDS", 3)
    controls = {"length": 20, "random_seed": 4}
    for mix in (0.1, 0.2, 0.3, 0.4, 0.5):
        assert ask("one", "two", mix) == blend(one, two, mix).generate("the ", **controls)
    assert ask("one", "one") == ask("one") == one.generate("the ", **controls)
    held = server._loaded
    assert sum(bool(loaded.model.parts) for loaded in held.values()) == 3
    # Both are needed at once, though there is no room for them and for what is loaded.
    monkeypatch.setattr("textgen.serving.server.CACHED_BYTES", three.memory)
    assert ask("two", "three", 0.7) == blend(two, three, 0.7).generate("the ", **controls)
    assert ask("three") == three.generate("the ", **controls)
    assert ask("one") == one.generate("the ", **controls)
    assert not any(loaded.model.parts for loaded in held.values())
    assert len(held) <= 2


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (7, "'with' needs 'bundle'"),
        ({}, "'with' needs 'bundle'"),
        ({"bundle": "x", "mix": 2}, "mix is 2"),
        ({"bundle": "x", "mix": "a"}, "mix is 'a'"),
        ({"bundle": "x", "corpus": 3}, "'corpus' as str"),
        ({"bundle": "/nowhere/at/all"}, "is not there"),
    ],
)
def test_a_blend_that_cannot_be_is_answered_with_its_error(tmp_path: Path, other: Any, says: str) -> None:
    write_random_bundle(tmp_path / "model")
    answers: list[dict[str, Any]] = []
    server = Server(answers.append)
    server.handle(json.dumps(request("r", tmp_path / "model", length=5) | {"with": other}))
    serve_all(server)
    assert says in answers[0]["error"]["message"]


def test_a_text_that_copies_can_be_asked_for_as_an_original(tmp_path: Path, trained_bundle: Path) -> None:
    corpus = tmp_path / "corpus.txt"
    asked = {"length": 200, "random_seed": 1}
    text = TextModel.load(trained_bundle).generate("the ", **asked)
    corpus.write_text(text, encoding="utf-8")
    answers: list[dict[str, Any]] = []
    server = Server(answers.append)
    for identity, kinds in (("free", {}), ("original", {"original": True}), ("wrong", {"original": 1})):
        more = {"corpus": str(corpus), "longest_copy": 20, "receipt": True, **kinds}
        server.handle(json.dumps(request(identity, trained_bundle, **asked) | more))
        serve_all(server)
    free, original, wrong = answers
    assert "'original' as bool" in wrong["error"]["message"]
    assert free["copied"] == [len(text)]
    assert original["copied"] == [0]
    limits = [Receipt.from_code(each["receipts"][0]).longest_copy for each in (free, original)]
    assert limits == [None, 20]
    # Without the corpus no text can be kept from it.
    corpus.unlink()
    server = Server(answers.append)
    asked_again = request("gone", trained_bundle, **asked) | more | {"corpus": str(corpus), "original": True}
    server.handle(json.dumps(asked_again))
    serve_all(server)
    assert "is to be kept from cannot be read" in answers[-1]["error"]["message"]
    server.handle(json.dumps(asked_again | {"longest_copy": 10**9}))
    assert "longest_copy" in answers[-1]["error"]["message"]
