"""A server that takes tokens and returns log-probabilities gives the evidence that the models on this disk give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.efficiency_rows import efficiency_rows
from core.jobs import worker
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.core.served.conftest import TASKS, write_workspace
from tests.logits_server import LogitsServer
from tests.scripted_server import Reply, chat, of_json, scripted

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def model(local: Path) -> Iterator[tuple[LogitsServer, str]]:
    server = LogitsServer(local / "base", {"lora-0": local / "adapters" / "lora-0"})
    with scripted(server.answer) as running:
        yield server, running.url


def _evaluate(folder: Path) -> Run:
    run = prepare_run(load_workspace(folder), Choice(name="run"))
    assert worker.main(["evaluate", str(run.folder)]) == 0, read_status(run)
    return Run(run.folder)


def _rows(run: Run) -> dict[tuple[str, ...], dict[str, Any]]:
    return {
        tuple(row[key] for key in ("variant", "task", "example_id", "item")): row for row in run.evidence().to_pylist()
    }


def test_served_beside_local_gives_the_same_evidence(
    model: tuple[LogitsServer, str], local: Path, tmp_path: Path
) -> None:
    server, url = model
    server.scores = True
    base, adapter = str(local / "base"), str(local / "adapters" / "lora-0")
    models = {
        "base": {"path": base}, "adapters": {"lora-0": {"path": adapter}},
        "servers": {"s": {"url": url, "api": "completions"}},
        "served": {"base-there": {"server": "s", "model": "base"}, "lora-there": {"server": "s", "model": "lora-0"}},
    }  # fmt: skip
    plain = {
        "dataset": "data",
        "kind": "likelihood",
        "template": "none",
        "reference": "reply",
        "metrics": ["perplexity"],
    }
    run = _evaluate(write_workspace(tmp_path / "w", models, {**TASKS, "plain": plain}, probe=True))
    rows = _rows(run)
    for here, there in (("baseline", "base-there"), ("lora-0", "lora-there")):
        for k in range(6):
            one, other = rows[here, "colour", f"e{k}", ""], rows[there, "colour", f"e{k}", ""]
            assert other["option_logprob_sums"] == pytest.approx(one["option_logprob_sums"], abs=1e-3)
            assert (other["options"], other["option_n_tokens"]) == (one["options"], one["option_n_tokens"])
            for task, item in (("reply", "reference"), ("plain", "")):
                one, other = rows[here, task, f"e{k}", item], rows[there, task, f"e{k}", item]
                assert other["token_logprobs"] == pytest.approx(one["token_logprobs"], abs=1e-4)
                assert [other[key] for key in ("token_ids", "token_starts", "token_top", "n_bytes")] == [
                    one[key] for key in ("token_ids", "token_starts", "token_top", "n_bytes")
                ]
            one, other = rows[here, "reply", f"e{k}", ""], rows[there, "reply", f"e{k}", ""]
            assert [other[key] for key in ("text", "finish", "token_ids")] == [
                one[key] for key in ("text", "finish", "token_ids")
            ]
            assert other["token_logprobs"] == pytest.approx(one["token_logprobs"], abs=1e-4)
    assert (
        rows["baseline", "colour", "e0", ""]["option_logprob_sums"]
        != rows["lora-0", "colour", "e0", ""]["option_logprob_sums"]
    )
    probed = {row["variant"] for row in json.loads((run.folder / "probe.json").read_text())["repeats"]}
    assert probed == {"baseline", "lora-0"}, "a network has no place beside this machine's speed"
    reasons = {row.values["lora-there"].reason for row in efficiency_rows(run, "baseline", level=0.95, seed=0)}
    assert reasons == {
        "a server answers for it: the time of a network has no place beside this machine's",
        "a server answers for it: its files are not on this disk",
    }


def test_a_server_that_ignores_the_wish_for_log_probabilities_gives_no_score(
    model: tuple[LogitsServer, str], local: Path, tmp_path: Path
) -> None:
    server, url = model
    server.scores = False
    models = {
        "base": {"path": str(local / "base")}, "servers": {"s": {"url": url, "api": "completions"}},
        "served": {"baseline": {"server": "s", "model": "base"}},
    }  # fmt: skip
    run = _evaluate(write_workspace(tmp_path / "w", models, TASKS))
    rows = _rows(run)
    reason = "this server returns no log-probabilities of a given text"
    for task, item in (("colour", ""), ("reply", "reference")):
        assert {rows["baseline", task, f"e{k}", item]["reason"] for k in range(6)} == {reason}
        assert {rows["baseline", task, f"e{k}", item]["kind"] for k in range(6)} == {None}
    assert all(rows["baseline", "reply", f"e{k}", ""]["text"] is not None for k in range(6))
    told = f"baseline: {reason} (asked for with echo and logprobs); what needs them has no value."
    assert told in read_status(run).warnings


@pytest.mark.parametrize(
    "block",
    [
        {"token_logprobs": [-0.1], "top_logprobs": [{"x": -0.1}]},  # the new token alone: echo was ignored
        {"token_logprobs": None, "top_logprobs": None},
        "all",  # positive ones
        "none",  # of the right length, without what would be the likeliest
    ],
)
def test_half_a_list_of_log_probabilities_is_no_score(local: Path, tmp_path: Path, block: Any) -> None:
    def answer(path: str, body: dict[str, Any]) -> Reply:
        n = len(body["prompt"]) + 1
        told = {
            "all": {"token_logprobs": [0.5] * n, "top_logprobs": [{"x": 0.5}] * n},
            "none": {"token_logprobs": [-0.5] * n, "top_logprobs": None},
        }.get(block, block) if isinstance(block, str) else block  # fmt: skip
        return of_json({"model": "m", "choices": [{"text": "x", "finish_reason": "length", "logprobs": told}]})

    with scripted(answer) as running:
        models = {
            "base": {"path": str(local / "base")}, "servers": {"s": {"url": running.url, "api": "completions"}},
            "served": {"baseline": {"server": "s", "model": "m"}},
        }  # fmt: skip
        run = _evaluate(write_workspace(tmp_path / "w", models, {"colour": TASKS["colour"]}))
        assert len(running.asked) == 1, "the first question told it"
    assert set(run.evidence()["reason"].to_pylist()) == {"this server returns no log-probabilities of a given text"}


def test_chat_and_local_variants_stand_side_by_side(local: Path, tmp_path: Path) -> None:
    with scripted(lambda path, body: chat("hello")) as running:
        models = {
            "base": {"path": str(local / "base")}, "servers": {"s": {"url": running.url}},
            "served": {"gpt": {"server": "s", "model": "m"}},
        }  # fmt: skip
        run = _evaluate(write_workspace(tmp_path / "w", models, TASKS))
    rows = _rows(run)
    assert rows["gpt", "reply", "e0", ""]["text"] == "hello" and rows["gpt", "colour", "e0", ""]["reason"]
    assert (
        rows["baseline", "colour", "e0", ""]["kind"] == "options"
        and rows["baseline", "reply", "e0", ""]["kind"] == "generation"
    )
