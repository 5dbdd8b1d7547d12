"""The demo for real: the real base, three real adapters, real tickets. Takes some minutes; the base is fetched once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.records import BASELINE
from core.workspace import load_workspace

ROOT = Path(__file__).parents[1]
TICKETS = 16
"""Of the 24 that the demo asks for: a verdict needs 15, and each of the others takes seconds."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sample workspace with few tickets, and without runs and caches, so that everything is computed."""
    ignored = shutil.ignore_patterns("runs", ".lorascope")
    folder = Path(
        shutil.copytree(ROOT / "sample_data", tmp_path_factory.mktemp("demo") / "sample_data", ignore=ignored)
    )
    tickets = folder / "data" / "tickets.eval.jsonl"
    tickets.write_text(
        "".join(tickets.read_text(encoding="utf-8").splitlines(keepends=True)[:TICKETS]), encoding="utf-8"
    )
    return folder


@pytest.mark.slow
@pytest.mark.model
def test_the_demo_evaluates_and_stops_before_it_serves(workspace: Path) -> None:
    environment = os.environ | {"DEMO_SERVE": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "core.cli.main", "demo", "--workspace", str(workspace)], cwd=ROOT, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "reply: BLEU" in done.stdout
    run = load_workspace(workspace).runs()[0]
    assert run.id.startswith("demo-")
    assert run.spec.models.variants == (BASELINE, "qv-r8", "all-r8", "qv-r2")
    assert (run.spec.limit, len({example.id for example in run.examples})) == (24, TICKETS)
    assert run.read_json("probe")["settings"]["repeats"] == 5
    reasons = set(run.evidence(columns=["reason"])["reason"].to_pylist())
    assert reasons == {None}
    assert run.spec.clean_tasks == run.spec.tasks, "the demo leaves perturbed inputs out"

    listed = subprocess.run(
        [sys.executable, "-m", "core.cli.main", "compare", run.id, "--workspace", str(workspace), "--json"], cwd=ROOT,
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = {row["key"]: row for row in json.loads(listed.stdout)["rows"]}
    # The style of the house is what every adapter learns first: this holds on any machine.
    assert rows["reply/perplexity"]["differences"]["qv-r8"]["difference"] < 0
    assert rows["reply/perplexity"]["differences"]["qv-r8"]["verdict"] == "better"


@pytest.mark.model
def test_the_base_answers_as_it_should(workspace: Path) -> None:
    code = """
import sys, torch
from core.data.prompt import PromptRenderer
from core.engine.generate import generate_rows
from core.engine.models import load_causal
from core.paths import cached_model
from core.requests import GenerateRequest
from core.spec import Settings
folder = cached_model("smollm2-135m")
renderer = PromptRenderer(folder)
prompt = renderer.encode(renderer.render([{"role": "user", "content": "What is the capital of France?"}])).ids
model = load_causal(folder, torch.device("cpu"), torch.float32)
print(generate_rows(model, [GenerateRequest("t", "1", "", prompt)], Settings(max_new_tokens=20), torch.device("cpu"),
                    stop_ids=renderer.stop_ids, decode=renderer.decode)[0].text)
"""
    subprocess.run([sys.executable, "-m", "core.cli.main", "demo", "--fetch-only"], cwd=ROOT, check=True)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "The capital of France is Paris."
