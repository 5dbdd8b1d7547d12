"""Runs whose variants answer from a server: the same evidence, nothing lost, no key anywhere, and stopped where it must be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.compare import compare
from core.errors import InputError
from core.example_texts import read_lengths
from core.jobs import worker
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.core.served.conftest import TASKS, write_workspace
from tests.scripted_server import Reply, Scripted, chat, of_json, scripted

KEY = "sk-secret-of-the-test-4711"


@pytest.fixture(scope="module")
def running() -> Iterator[Scripted]:
    with scripted(lambda path, body: chat("unused")) as server:
        yield server


def _models(running: Scripted, server: dict[str, Any] | None = None, **variant: Any) -> dict[str, Any]:
    running.answer = lambda path, body: chat("reply " + body["messages"][-1]["content"][-1:])
    running.asked.clear()
    running.headers.clear()
    return {
        "base": {"path": "org/base"},
        "servers": {"s": {"url": running.url, "retries": 0, "concurrency": 1, **(server or {})}},
        "served": {"baseline": {"server": "s", "model": "m", **variant}},
    }  # fmt: skip


def _run(folder: Path, name: str, expect: int = 0) -> Run:
    run = prepare_run(load_workspace(folder), Choice(name=name))
    assert worker.main(["evaluate", str(run.folder)]) == expect, read_status(run)
    return Run(run.folder)


def test_a_base_that_is_served_needs_no_files(running: Scripted, tmp_path: Path) -> None:
    tasks = {
        "reply": {**TASKS["reply"], "system": "Be brief.", "temperature": 0.5, "few_shot": [{"fields": {"text": "one"}, "answer": "two"}]},
        "colour": TASKS["colour"],
        "plain": {**TASKS["reply"], "template": "none"},
    }  # fmt: skip
    models = _models(running, body={"top_k": 1, "seed": None})
    folder = write_workspace(
        tmp_path / "w", models, tasks, top_p=0.9, stop=["\n"], template_variables={"enable_thinking": False}
    )
    run = _run(folder, "a")
    path, body = running.asked[0]
    assert path == "/v1/chat/completions"
    assert body == {
        "model": "m", "logprobs": True, "max_tokens": 6, "temperature": 0.5, "top_p": 0.9, "stream": False, "stop": ["\n"],
        "top_k": 1, "chat_template_kwargs": {"enable_thinking": False},
        "messages": [
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "one reply!"},
            {"role": "assistant", "content": "two"}, {"role": "user", "content": "number 0 reply!"},
        ],
    }  # fmt: skip
    rows = {(row["task"], row["example_id"], row["item"]): row for row in run.evidence().to_pylist()}
    assert rows["reply", "e3", ""]["text"] == "reply !" and rows["reply", "e3", ""]["n_prompt_tokens"] == 7
    reason = (
        "this server returns no log-probabilities of a given text: it is asked through chat completions (api: chat)"
    )
    assert rows["colour", "e3", ""]["reason"] == rows["reply", "e3", "reference"]["reason"] == reason
    assert "template: none" in rows["plain", "e3", ""]["reason"]
    assert run.examples[0].prompt == "system: Be brief.\n\nuser: one reply!\n\nassistant: two\n\nuser: number 0 reply!"
    environment = run.read_json("environment") or {}
    assert (environment["device"], environment["dtype"], environment["hashes"]["base"]) == ("server", "unknown", None)
    assert environment["served"]["baseline"]["says"] == {"/models": {"id": "m", "owned_by": "test"}}
    assert read_lengths(run, "reply", pd.Index([f"e{k}" for k in range(6)])) is None, (
        "its tokens are not known, and not 0"
    )
    told = {row.metric: row.values["baseline"] for row in compare(run).rows if row.task == "reply"}
    assert told["chrf"].value is not None
    assert (told["perplexity"].value, told["perplexity"].reason is not None) == (None, True)


def test_answers_are_reused_while_the_server_says_the_same_of_itself(running: Scripted, tmp_path: Path) -> None:
    folder = write_workspace(tmp_path / "w", _models(running))
    _run(folder, "a")
    assert len(running.asked) == 6
    again = read_status(_run(folder, "b"))
    assert (len(running.asked), again.reused, again.done) == (6, 6, 6)
    text = (folder / "workspace.yaml").read_text()
    (folder / "workspace.yaml").write_text(text.replace('"retries": 0', '"retries": 0, "reuse": false'))
    _run(folder, "c")
    assert len(running.asked) == 12, "reuse: false asks anew"
    (folder / "workspace.yaml").write_text(text.replace('"model": "m"', '"model": "n", "model_alias": ["m"]'))
    _run(folder, "d")
    assert len(running.asked) == 18, "another name is another model"


def test_the_key_stands_nowhere(running: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_workspace(tmp_path / "w", _models(running, {"key": "TEST_SERVER_KEY"}))
    monkeypatch.delenv("TEST_SERVER_KEY", raising=False)
    with pytest.raises(
        InputError,
        match=r"models\.servers\.s\.key: the environment variable TEST_SERVER_KEY is not set, and 'baseline'",
    ):
        prepare_run(load_workspace(folder), Choice(name="a"))
    monkeypatch.setenv("TEST_SERVER_KEY", KEY)
    calls = iter([*[lambda: chat("x")] * 3, lambda: of_json({"error": {"message": f"bad key {KEY}"}}, 401)])
    running.answer = lambda path, body: next(calls)()
    _run(folder, "a", expect=1)
    assert running.headers[0]["authorization"] == f"Bearer {KEY}"
    assert "It says: bad key (the key)" in (read_status(Run(folder / "runs" / "a")).error or "")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 3 and not [path for path in files if KEY.encode() in path.read_bytes()]


def test_another_model_stops_the_run(running: Scripted, tmp_path: Path) -> None:
    models = _models(running)
    folder = write_workspace(tmp_path / "w", models)
    running.answer = lambda path, body: chat("x", model="other")
    run = _run(folder, "a", expect=1)
    assert read_status(run).error == (
        "models.served: 'm' was asked at server 's', and 'other' answered: its answers are not those of the variant. Correct `model`, "
        "or add the name to `model_alias` if it is the same model."
    )
    assert run.evidence().filter(run.evidence()["kind"].is_valid()).num_rows == 0


def test_what_fails_has_no_value_and_the_run_goes_on(running: Scripted, tmp_path: Path) -> None:
    folder = write_workspace(tmp_path / "w", _models(running, {"retries": 1}))
    seen: list[str] = []

    def answer(path: str, body: dict[str, Any]) -> Reply:
        asked = body["messages"][-1]["content"]
        seen.append(asked)
        if "2" in asked:
            return Reply(500)
        return Reply(502) if "4" in asked and seen.count(asked) == 1 else chat("fine \ud83d")

    running.answer = answer
    run = _run(folder, "a")
    rows = {row["example_id"]: row for row in run.evidence(task="reply").to_pylist() if row["item"] == ""}
    assert rows["e2"]["reason"] == "server 's': it answered 500, asked 2 times"
    assert [row["text"] for key, row in rows.items() if key != "e2"] == ["fine �"] * 5, (
        "half a pair of surrogates has no UTF-8 form"
    )
    assert (
        "baseline: server 's' was asked again 2 times: it answered 500 (1), it answered 502 (1)."
        in read_status(run).warnings
    )


def test_too_many_failures_stop_the_run_and_keep_what_was_answered(
    running: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.served.plan.REQUESTS_A_PART", 2)
    monkeypatch.setattr("core.served.variant.FAILURES_IN_A_ROW", 3)
    folder = write_workspace(tmp_path / "w", _models(running))
    well = running.answer
    running.answer = lambda path, body: well(path, body) if len(running.asked) <= 2 else Reply(500)
    run = _run(folder, "a", expect=1)
    assert read_status(run).error == (
        "baseline: 3 questions in a row had no answer; the last: server 's': it answered 500. What was answered before is kept: resume "
        "the run when the server is well."
    )
    kept = {row["example_id"] for row in run.evidence().to_pylist() if row["kind"] == "generation"}
    assert kept == {"e0", "e1"}
    running.answer = well
    running.asked.clear()
    assert worker.main(["evaluate", str(run.folder)]) == 0
    assert len(running.asked) < 6, "what was there is not asked again"
    assert run.evidence(task="reply").num_rows == 12


def test_a_run_goes_on_only_with_the_server_that_it_began_with(running: Scripted, tmp_path: Path) -> None:
    folder = write_workspace(tmp_path / "w", _models(running))
    running.answer = lambda path, body: of_json({}, 401)
    run = _run(folder, "a", expect=1)
    known = json.loads((run.folder / "environment.json").read_text())
    known["served"]["baseline"]["fingerprint"] = "what it said then"
    (run.folder / "environment.json").write_text(json.dumps(known))
    assert worker.main(["evaluate", str(run.folder)]) == 2
    assert "the server of 'baseline' says other things of itself than when this run began" in (
        read_status(run).error or ""
    )


def test_nobody_there_is_said_before_anything_is_asked(running: Scripted, tmp_path: Path) -> None:
    folder = write_workspace(tmp_path / "w", _models(running, {"url": "http://127.0.0.1:9/v1"}))
    run = _run(folder, "a", expect=2)
    assert read_status(run).error == (
        "models.servers.s: nothing answers at http://127.0.0.1:9/v1. Correct `url`, or start the server with what it needs; 'baseline' "
        "answers from there."
    )


def test_an_adapter_that_the_server_does_not_hold_is_not_silently_left_out(running: Scripted, tmp_path: Path) -> None:
    folder = write_workspace(tmp_path / "w", _models(running, lora=[{"id": 1}]))
    run = _run(folder, "a", expect=2)
    assert "it lists no adapter with the id 1 at /lora-adapters, and `lora` asks for it." in (
        read_status(run).error or ""
    )
