"""The HTTP service against bad input, clients that leave, too many of them, and its own end."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.support.textgen.bundles import write_random_bundle
from tests.support.textgen.command import textgen as command
from tests.support.textgen.http_service import KEY, Service, serving, wait_until
from textgen.serving.http.access import errors_as_json
from textgen.serving.http.metrics import Metrics

COMPLETIONS = "/v1/completions"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "plays"
    write_random_bundle(path, "linear")
    return path


@pytest.fixture(scope="module")
def service(bundle: Path) -> Iterator[Service]:
    with serving(bundle, "--max-tokens", "1000000") as made:
        yield made


class Uncounted(Metrics):
    """Counts nothing: there is no service whose answers these are."""

    def __init__(self) -> None:
        pass

    def answered(self, route: str, status: int) -> None:
        pass


def asking(**fields: Any) -> dict[str, Any]:
    return {"model": "plays", "prompt": "the ", "max_tokens": 5, **fields}


def test_without_the_key_nobody_is_let_in(service: Service) -> None:
    for path in (COMPLETIONS, "/v1/models", "/metrics", "/nowhere"):
        for key in ("", "wrong", "wröng".encode().decode("latin-1")):
            answer = service.ask(path, key=key)
            assert answer.status == 401
            assert answer.body["error"]["type"] == "authentication_error"
            assert answer.body["error"]["code"] == "invalid_api_key"
    assert service.ask("/healthz", key="").body == {"status": "ok"}
    with pytest.raises(openai.AuthenticationError, match="key is wrong"):
        openai.OpenAI(base_url=service.url, api_key="wrong", max_retries=0).models.list()


REFUSED: list[tuple[object, int, str | None, str]] = [
    (b"", 400, None, "no JSON"),
    (b"{", 400, None, "no JSON"),
    (b"\xff\xfe", 400, None, "no JSON"),
    (b"[" * 100_000, 400, None, "no JSON"),
    ([1], 400, None, "no JSON object"),
    ({"prompt": "a"}, 400, "model", "`model`"),
    (asking(model="none"), 404, "model", "there are plays"),
    (asking(beam=5), 400, "beam", "no field 'beam'"),
    (asking(length=5), 400, "length", "no field 'length'"),
    (asking(prompt=5), 400, "prompt", "prompt is 5"),
    (asking(prompt=[1, 2]), 400, "prompt", "not numbers of tokens"),
    (asking(prompt=[]), 400, "prompt", "list of texts"),
    (asking(prompt="ß"), 400, "prompt", "never seen 'ß'"),
    (asking(prompt="x" * 100_001), 413, "prompt", "at most 100,000"),
    (asking(max_tokens=0), 400, "max_tokens", "max_tokens is 0"),
    (asking(max_tokens=10**9), 400, "max_tokens", "from 1 to 1,000,000"),
    (asking(max_tokens="5"), 400, "max_tokens", "max_tokens is '5'"),
    (asking(n=0), 400, "n", "n is 0"),
    (asking(n=33), 400, "n", "may have 32 texts"),
    (asking(temperature=-1), 400, "temperature", "temperature is -1"),
    (asking(temperature=float("nan")), 400, "temperature", "temperature is nan"),
    (asking(top_p=7), 400, "top_p", "top_p is 7"),
    (asking(top_k=0), 400, "top_k", "top_k is 0"),
    (asking(seed="x"), 400, "seed", "seed is 'x'"),
    (asking(stop=["x"] * 17), 400, "stop", "17 stop"),
    (asking(logprobs=21), 400, "logprobs", "from 0 to 20"),
    (asking(logprobs=5, max_tokens=1_000_000), 400, "logprobs", "too many logprobs"),
    (asking(stream="yes"), 400, "stream", "true or false"),
    (asking(stream_options=[]), 400, "stream_options", "include_usage"),
    (asking(frequency_penalty=1), 400, "frequency_penalty", "`repetition_penalty` is"),
    (asking(suffix="x"), 400, "suffix", "not offered"),
]


def test_what_is_wrong_in_a_request_is_named(service: Service) -> None:
    for data, status, param, words in REFUSED:
        answer = service.ask(COMPLETIONS, data)
        assert answer.status == status, (data, answer)
        error = answer.body["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["type"] == "invalid_request_error"
        assert error["param"] == param
        assert words in error["message"]
        assert "\n" not in error["message"]
    assert service.ask("/v1/chat/completions", {}).body["error"]["code"] == "not_found"
    assert service.ask(COMPLETIONS).status == 405
    assert service.ask("/v1/models/none").status == 404
    neutral = {
        "best_of": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0.0,
        "logit_bias": {},
        "suffix": None,
    }
    assert service.ask(COMPLETIONS, asking(user="somebody", **neutral)).status == 200
    assert service.figure("textgen_requests_running") == 0


def test_a_body_of_10_megabytes_is_refused(service: Service) -> None:
    answer = service.ask(COMPLETIONS, asking(prompt="x" * 10_000_000))
    assert answer.status == 413
    assert "1,048,576 bytes" in answer.body["error"]["message"]
    assert service.ask(COMPLETIONS, asking()).status == 200


def test_a_client_that_leaves_frees_its_place(service: Service) -> None:
    ended = service.figure("textgen_texts_total")
    stream = service.client().completions.create(**asking(max_tokens=1_000_000, n=4), stream=True)
    next(iter(stream))
    assert service.figure("textgen_texts_running") == 4
    stream.close()
    wait_until(lambda: service.figure("textgen_texts_running") == 0)
    whole = socket.create_connection(("127.0.0.1", int(service.root.rpartition(":")[2])))
    body = b'{"model": "plays", "prompt": "the ", "max_tokens": 1000000}'
    head = f"POST {COMPLETIONS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
    whole.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    wait_until(lambda: service.figure("textgen_texts_running") == 1)
    whole.close()
    wait_until(lambda: service.figure("textgen_texts_running") == 0)
    assert service.figure("textgen_texts_total") == ended
    assert service.ask(COMPLETIONS, asking()).status == 200


def test_connections_beyond_the_limit_are_told_so(bundle: Path) -> None:
    # A service of its own: connections of other tests that end meanwhile would make room.
    with serving(bundle, "--connections", "20") as service:
        address = ("127.0.0.1", int(service.root.rpartition(":")[2]))
        held = [socket.create_connection(address) for _ in range(50)]
        try:
            with pytest.raises(openai.APIStatusError, match="too many connections"):
                service.client().models.list()
        finally:
            for connection in held:
                connection.close()

        def is_served() -> bool:
            return service.ask("/healthz").status == 200

        wait_until(is_served)


def test_a_sampling_process_that_dies_is_replaced(service: Service) -> None:
    stream = iter(service.client().completions.create(**asking(max_tokens=1_000_000), stream=True))
    next(stream)
    samplers = psutil.Process(service.process.pid).children()
    for sampler in samplers:
        assert KEY not in sampler.environ().values()
        sampler.kill()
    with pytest.raises(openai.APIError, match="the sampling process ended"):
        list(stream)
    assert service.ask(COMPLETIONS, asking()).status == 200


def test_too_many_requests_and_too_long_ones(bundle: Path) -> None:
    flags = ("--max-tokens", "1000000", "--at-once", "1", "--queue", "1", "--deadline", "3")
    with serving(bundle, *flags) as service:
        answers: dict[str, Any] = {}

        def ask(name: str) -> None:
            answers[name] = service.ask(COMPLETIONS, asking(max_tokens=1_000_000))

        first = threading.Thread(target=ask, args=["first"])
        first.start()
        wait_until(lambda: service.figure("textgen_requests_running") == 1)
        second = threading.Thread(target=ask, args=["second"])
        second.start()
        wait_until(lambda: service.figure("textgen_requests_waiting") == 1)
        refused = service.ask(COMPLETIONS, asking())
        assert refused.status == 429
        assert refused.body["error"]["code"] == "rate_limit_exceeded"
        assert refused.headers["Retry-After"] == "1"
        first.join()
        second.join()
        # The first ends where it is; the second had no time left, or hardly any.
        (choice,) = answers["first"].body["choices"]
        assert 0 < len(choice["text"]) < 1_000_000
        assert choice["finish_reason"] == "length"
        assert answers["second"].status in (200, 503)


@pytest.mark.slow
def test_told_to_end_it_lets_texts_end_and_refuses_others(bundle: Path) -> None:
    with serving(bundle, "--max-tokens", "1000000") as service:
        read: list[Any] = []
        data = asking(max_tokens=1_000_000, stream=True)
        long = threading.Thread(target=lambda: read.append(service.ask(COMPLETIONS, data)))
        long.start()
        wait_until(lambda: service.figure("textgen_texts_running") == 1)
        short = iter(service.client().completions.create(**asking(max_tokens=2_000), stream=True))
        begin = next(short)
        service.process.terminate()
        texts = [begin.choices[0].text, *(chunk.choices[0].text for chunk in short)]
        assert len("".join(texts)) == 2_000
        with pytest.raises(openai.APIConnectionError):
            service.client().models.list()
        service.process.terminate()  # somebody has no patience
        long.join()
        assert "the service is ending" in read[0].body[-300:]
        assert '"code": "shutting_down"' in read[0].body[-300:]
        _, errors = service.process.communicate(timeout=100)
    assert (service.process.returncode, errors) == (0, "")


def textgen(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return command("serve", *arguments)


@pytest.mark.slow
def test_a_port_that_is_taken_and_a_model_that_is_none_are_one_line(bundle: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = textgen("--http", "--port", str(port), bundle)
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: 127.0.0.1 port {port} cannot be had: address already in use")
    assert result.stderr.count("\n") == 1
    result = textgen("--http", "--port", "0", tmp_path / "none")
    assert result.returncode == 1
    assert "is not there" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--http"], "needs a MODEL"),
        (["plays"], "MODEL is for --http"),
        (["--http", "--no-key", "--host", "0.0.0.0", "plays"], "can be reached by others"),  # noqa: S104 -- refused
        (["--http", "--key", "", "plays"], "printable ASCII"),
        (["--http", "a/plays", "b/plays"], "the same name"),
        (["--http", "a/b=c"], "cannot be the name"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], words: str) -> None:
    result = textgen(*arguments)
    assert result.returncode == 2
    assert words in result.stderr


def test_a_key_is_made_and_told_once(bundle: Path) -> None:
    with serving(bundle, key=None) as service:
        assert service.process.stderr
        label, _, service.key = service.process.stderr.readline().strip().partition(": ")
        assert label == "key"
        assert len(service.key) == 32
        assert service.ask("/v1/models", key="").status == 401
        assert service.ask("/v1/models").status == 200


def test_without_a_key_web_pages_are_refused(bundle: Path) -> None:
    with serving(bundle, "--no-key", key=None) as service:
        assert [model.id for model in service.client().models.list()] == ["plays"]
        for headers in ({"Origin": "https://example.org"}, {"Host": "example.org"}):
            answer = service.ask(COMPLETIONS, asking(), **headers)
            assert answer.status == 403
            assert answer.body["error"]["type"] == "permission_error"


async def test_a_fault_of_ours_has_the_form_of_every_error(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_request: web.Request) -> web.Response:
        raise ZeroDivisionError("on purpose")

    app = web.Application(middlewares=[errors_as_json(Uncounted())])
    app.router.add_get("/", broken)
    async with TestClient(TestServer(app)) as client, client.get("/") as answer:
        assert answer.status == 500
        assert (await answer.json())["error"]["type"] == "server_error"
        assert "on purpose" not in await answer.text()
    assert "on purpose" in caplog.text
