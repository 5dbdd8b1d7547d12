"""Whatever a server answers: asked again where that may help, a sentence where not, and never more than was allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from core.errors import RunError
from core.model_set import ServedRef, ServerSpec
from core.records import Generation
from core.served import client as client_module
from core.served.answers import read_chat
from core.served.client import Client, Refused
from tests.scripted_server import Reply, Scripted, chat, of_json, scripted

REF = ServedRef(server="s", model="m")
KEY = "sk-very-secret-0123"


@pytest.fixture(scope="module")
def running() -> Iterator[Scripted]:
    with scripted(lambda path, body: chat("unused")) as server:
        yield server


class _Sleeps(list[float]):
    """What was waited, without waiting."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def _ask(
    running: Scripted, answers: list[Reply] | Callable[..., Reply], secret: str | None = None, **spec: Any
) -> tuple[Any, Client, _Sleeps]:
    """Ask once, of a server that gives these answers one after the other; return the result or what was raised."""
    queue = list(answers) if isinstance(answers, list) else None
    running.answer = (lambda path, body: queue.pop(0)) if queue is not None else answers  # type: ignore[assignment]
    running.asked.clear()
    running.headers.clear()
    server, sleeps = ServerSpec(url=running.url, **{"retries": 2, "timeout": 5, **spec}), _Sleeps()
    client = Client("s", server, secret, sleep=sleeps)

    async def run() -> Any:
        async with client:
            return await client.post("/chat/completions", {"model": "m"}, lambda told: read_chat(told, REF), tokens=10)

    try:
        return asyncio.run(run()), client, sleeps
    except (Refused, RunError) as error:
        return error, client, sleeps


def test_an_answer_is_read(running: Scripted) -> None:
    found, client, sleeps = _ask(running, [chat("hello", logprobs={"content": [{"token": "x", "logprob": -0.5}]})])
    assert found == Generation("hello", "eos", 7, (), (-0.5,))
    assert (client.repeated.total(), sleeps) == (0, [])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Reply(500, b"oops"), "it answered 500"),
        (Reply(503), "it answered 503"),
        (Reply(200, b'{"choices": [{"mess', keep_back=30), "the connection broke off in the middle of the answer"),
        (Reply(200, b'{"choices": [{"mess'), "the answer is not whole JSON"),
        (Reply(200, b"<html><body>Sign in</body></html>"), "the answer is a web page and not JSON; is `url` the address of the interface?"),
        (Reply(200, b'{"choices": "\xff\xfe"}'), "the answer is not UTF-8"),
        (Reply(200, b"[1, 2]"), "the answer is JSON but no object"),
        (Reply(200, b"[" * 100_000), "the answer is not whole JSON"),
        (of_json({"error": {"message": "out of memory"}}), "the answer is an error: out of memory"),
        (of_json({"model": "m", "choices": []}), "the answer has no choices"),
        (chat(None), "the answer has no content"),
        (chat("half of", finish=None), "the answer does not say why it ended: it may be half of one"),
        (Reply(200, b'{"choices": [{"message": {"content": "x"}, "finish_reason": "stop", "n": NaN}]}'), "the answer is not whole JSON"),
    ],
)  # fmt: skip
def test_what_may_pass_is_asked_again(running: Scripted, bad: Reply, reason: str) -> None:
    found, client, sleeps = _ask(running, [bad, chat("well")])
    assert found.text == "well"
    assert dict(client.repeated) == {reason: 1}
    assert len(sleeps) == 1 and 0.25 <= sleeps[0] <= 0.75

    found, client, sleeps = _ask(running, lambda path, body: bad)
    assert isinstance(found, Refused) and str(found) == f"server 's': {reason}, asked 3 times"
    assert len(running.asked) == 3 and len(sleeps) == 2
    assert sleeps[1] > sleeps[0] * 0.6, "each pause is drawn about twice as long as the one before"


def test_retry_after_is_obeyed_by_seconds_and_by_date(running: Scripted) -> None:
    found, client, sleeps = _ask(running, [Reply(429, headers={"Retry-After": "7"}), chat("well")])
    assert found.text == "well" and dict(client.repeated) == {"it answered 429": 1}
    assert len(sleeps) == 1 and 6.5 < sleeps[0] <= 7
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    found, _, sleeps = _ask(running, [Reply(429, headers={"Retry-After": then}), chat("well")])
    assert found.text == "well" and 50 < sleeps[0] <= 60
    found, _, sleeps = _ask(running, [Reply(429, headers={"Retry-After": "soon"}), chat("well")])
    assert found.text == "well" and sleeps[0] < 1


def test_a_pause_without_end_stops_the_run(running: Scripted) -> None:
    found, _, sleeps = _ask(running, [Reply(429, headers={"Retry-After": "86400"})])
    assert isinstance(found, RunError) and sleeps == []
    assert str(found) == (
        "models.servers.s: the server answered 429 and asks for a pause of 86,400 s, more than the 120 s that a run waits. Resume the "
        "run then."
    )


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_stops_the_run_and_is_never_told(running: Scripted, status: int) -> None:
    answer = of_json({"error": {"message": f"Incorrect API key provided: {KEY}"}}, status)
    found, _, _ = _ask(running, [answer], secret=KEY, key="MY_KEY")
    assert isinstance(found, RunError) and KEY not in str(found)
    assert f"answered {status}: it refuses the key in the environment variable MY_KEY. Put a valid key there." in str(
        found
    )
    assert "It says: Incorrect API key provided: (the key)" in str(found)
    assert running.headers[0]["authorization"] == f"Bearer {KEY}"


def test_an_unknown_model_stops_the_run(running: Scripted) -> None:
    found, _, _ = _ask(running, [of_json({"object": "error", "message": "The model `m` does not exist."}, 404)])
    assert isinstance(found, RunError)
    assert "answered 404: no such model or address. It says: The model `m` does not exist. Correct `url`" in str(found)


def test_a_question_that_is_refused_is_not_asked_again(running: Scripted) -> None:
    found, _, _ = _ask(running, [of_json({"error": {"message": "too\n\x1b[31mlong"}}, 400)])
    assert isinstance(found, Refused) and found.is_question
    assert str(found) == "server 's': it answered 400: too [31mlong"
    assert len(running.asked) == 1


def test_a_redirect_is_not_followed(running: Scripted) -> None:
    found, _, _ = _ask(running, [Reply(307, headers={"Location": "https://me:pw@elsewhere.example/v1"})], secret=KEY)
    assert isinstance(found, RunError)
    assert "answered with a redirect to elsewhere.example, which is not followed, since the key would go along." in str(
        found
    )
    assert len(running.asked) == 1 and "pw" not in str(found)


def test_an_answer_that_drips_in_is_given_up(running: Scripted) -> None:
    slow = Reply(200, b" " * 1000, drip_seconds=0.02)  # each byte in time, the whole never
    found, client, _ = _ask(running, lambda path, body: slow, timeout=0.3, retries=0)
    assert str(found) == "server 's': no whole answer came within 0.3 s"


def test_a_body_has_a_largest_size(running: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_BODY_BYTES", 2**20)
    found, _, _ = _ask(running, [Reply(200, b" " * (2**20 + 1))])
    assert str(found) == "server 's': the answer is larger than 1 MiB" and len(running.asked) == 1


def test_nobody_there() -> None:
    client = Client("s", ServerSpec(url="http://127.0.0.1:9/v1", retries=0), None)

    async def run() -> None:
        async with client:
            await client.post("/chat/completions", {}, lambda told: None, tokens=1)

    with pytest.raises(Refused, match=r"^server 's': nothing answers at http://127.0.0.1:9/v1$"):
        asyncio.run(run())


def test_limits_spread_the_requests(running: Scripted) -> None:
    def waits(**spec: int) -> list[float]:
        running.answer = lambda path, body: chat("x")
        sleeps = _Sleeps()
        client = Client("s", ServerSpec(url=running.url, concurrency=4, **spec), None, sleep=sleeps)

        async def run() -> None:
            async with client:
                await asyncio.gather(
                    *(client.post("/chat/completions", {}, lambda told: None, tokens=50) for _ in range(4))
                )

        asyncio.run(run())
        return [round(seconds) for seconds in sleeps]

    assert waits() == []
    assert waits(requests_per_minute=6) == [10, 20, 30]
    assert waits(tokens_per_minute=300) == [10, 20, 30]
    assert waits(requests_per_minute=6, tokens_per_minute=150) == [20, 40, 60], "the tighter one counts"
