"""Against servers that others wrote: llama.cpp's with LoRA by request, and `transformers serve`, which ignores logprobs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from core.jobs import worker
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.core.served.conftest import TASKS, llama_server, write_workspace

pytestmark = pytest.mark.model


def _evaluate(folder: Path) -> Run:
    run = prepare_run(load_workspace(folder), Choice(name="run"))
    assert worker.main(["evaluate", str(run.folder)]) == 0, read_status(run)
    return Run(run.folder)


def test_llama_cpp_with_lora_by_request_answers_as_the_models_on_this_disk(local: Path, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    from tests.tiny_gguf import write_adapter, write_base

    base, adapter = local / "base", local / "adapters" / "lora-0"
    held = write_base(base, tmp_path / "base.gguf"), write_adapter(base, adapter, tmp_path / "lora.gguf")
    with llama_server(*held, "tiny") as url:
        models = {
            "base": {"path": str(base)}, "adapters": {"lora-0": {"path": str(adapter)}},
            "servers": {"llama": {"url": f"{url}/v1", "concurrency": 1}},
            "served": {
                "base-there": {"server": "llama", "model": "tiny", "lora": [{"id": 0, "scale": 0}]},
                "lora-there": {"server": "llama", "model": "tiny", "lora": [{"id": 0}]},
            },
        }  # fmt: skip
        run = _evaluate(write_workspace(tmp_path / "w", models, TASKS))
    rows = {
        (row["variant"], row["example_id"]): row for row in run.evidence(task="reply").to_pylist() if row["item"] == ""
    }
    texts = {name: [rows[name, f"e{k}"]["text"] for k in range(6)] for name in run.spec.models.variants}
    assert texts["baseline"] != texts["lora-0"]
    for here, there in (("baseline", "base-there"), ("lora-0", "lora-there")):
        # A random model writes halves of letters, which the two decode each in its way.
        same = sum(_letters(one) == _letters(other) for one, other in zip(texts[here], texts[there], strict=True))
        assert same >= 4, "two engines; a near tie may fall otherwise"
        assert {rows[here, f"e{k}"]["n_prompt_tokens"] for k in range(6)} == {
            rows[there, f"e{k}"]["n_prompt_tokens"] for k in range(6)
        }
        # It tells fewer tokens than it made where several are one letter: lists that do not fit each other are not kept.
        whole = [row for (name, _), row in rows.items() if name == there and row["finish"] == "length"]
        assert all(len(row["token_logprobs"]) in (0, 6) for row in whole)
    said = (run.read_json("environment") or {})["served"]["lora-there"]["says"]
    assert said["/lora-adapters"][0]["id"] == 0 and said["/props"]["model_path"].endswith("base.gguf")


def _letters(text: str) -> str:
    return text.replace("\N{REPLACEMENT CHARACTER}", "")


@contextmanager
def _transformers_serve(home: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (home / "hub").mkdir(parents=True)
    environment = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    program = Path(sys.executable).with_name("transformers")
    command = [str(program), "serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with (home / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                httpx.get(f"{url}/health", timeout=2)
                break
            except httpx.HTTPError:
                assert process.poll() is None, (home / "log.txt").read_text()
                time.sleep(0.1)
        yield f"{url}/v1"
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_transformers_serve_ignores_logprobs_and_that_is_no_score(local: Path, tmp_path: Path) -> None:
    for package in ("uvicorn", "fastapi", "openai"):
        pytest.importorskip(package, reason="transformers' extra `serving` is not installed")
    with _transformers_serve(tmp_path / "home") as url:
        models = {
            "base": {"path": "org/tiny"}, "servers": {"t": {"url": url, "concurrency": 1}},
            "served": {"baseline": {"server": "t", "model": str(local / "base"), "model_alias": [f"{local / 'base'}@main"]}},
        }  # fmt: skip
        run = _evaluate(write_workspace(tmp_path / "w", models, TASKS))
    rows = run.evidence(task="reply").to_pylist()
    answers = [row for row in rows if row["item"] == ""]
    assert len(answers) == 6 and all(row["kind"] == "generation" and row["token_logprobs"] == [] for row in answers)
    others = [row for row in [*rows, *run.evidence(task="colour").to_pylist()] if row not in answers]
    assert {row["reason"] for row in others} == {
        "this server returns no log-probabilities of a given text: it is asked through chat completions (api: chat)"
    }
