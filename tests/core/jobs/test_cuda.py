"""A run on a GPU: what it was made on is kept, it resumes, and it says what a run on the processor says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.jobs import worker
from core.plan import GPU_BATCH_TOKENS
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.core.jobs.conftest import evidence

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here: the GPU path was not exercised"),
]
NUMBERS = ("option_logprob_sums", "token_logprobs")
BASE = Path.home() / ".cache" / "lorascope" / "models" / "smollm2-135m"
SAMPLE = Path(__file__).parents[3] / "sample_data"


def evaluated(workspace: Path, changes: dict[str, str], choice: Choice) -> Run:
    text = (workspace / "workspace.yaml").read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    (workspace / "workspace.yaml").write_text(text)
    run = prepare_run(load_workspace(workspace), choice)
    assert worker.main(["evaluate", str(run.folder)]) == 0, (run.folder / "status.json").read_text()
    return Run(run.folder)


def _place(row: dict[str, Any]) -> tuple[str, ...]:
    return row["task"], row["variant"], row["example_id"], row["item"]


def assert_alike(found: Run, expected: Run) -> None:
    """Same evidence, numbers within the bounds that hold between batches; answers end where they end."""
    pairs = list(zip(*(sorted(evidence(run), key=_place) for run in (found, expected)), strict=True))
    assert pairs
    for ours, theirs in pairs:
        for key in ours.keys() - set(NUMBERS) - {"token_top"}:
            assert ours[key] == theirs[key], key
        for key in NUMBERS:
            assert (ours[key] is None) == (theirs[key] is None)
            if ours[key] is not None:
                assert ours[key] == pytest.approx(theirs[key], abs=1e-3)


def test_a_run_on_the_gpu_says_what_one_on_the_processor_says(workspace: Path, finished: Run) -> None:
    changes = {"device: cpu": "device: auto", "batch_tokens: 256, probe: false": "probe: true"}
    run = evaluated(workspace, changes, Choice(name="whole"))
    environment = json.loads((run.folder / "environment.json").read_text())
    assert (environment["device"], environment["dtype"]) == ("cuda", "float32")
    assert environment["batch_tokens"] == GPU_BATCH_TOKENS
    assert_alike(run, finished)
    measured = run.read_json("probe")
    assert measured is not None
    assert measured["settings"]["device"] == "cuda"
    assert all(repeat["peak_gpu_bytes"] > 0 for repeat in measured["repeats"])


def test_a_run_in_bfloat16_is_the_same_twice(workspace: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(workspace, tmp_path / "other"))
    changes = {"device: cpu": "device: auto", "dtype: float32": "dtype: auto"}
    one, two = (evaluated(folder, changes, Choice(name="whole")) for folder in (workspace, other))
    environment = json.loads((one.folder / "environment.json").read_text())
    assert environment["dtype"] == ("bfloat16" if torch.cuda.is_bf16_supported() else "float16")
    assert evidence(one) == evidence(two)


@pytest.mark.skipif(not (BASE / "config.json").is_file(), reason="the sample's base is not there yet")
def test_the_sample_answers_on_the_gpu_as_plain_transformers_says(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("runs", ".lorascope", "derived"))
    changes = {"dtype: auto, device: auto": "dtype: float32, device: cuda, probe: false"}
    run = evaluated(folder, changes, Choice(name="gpu", tasks=("reply",), adapters=("qv-r8",), limit=6))
    prompts = {example.id: example.prompt for example in run.examples}
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    rows = [row for row in evidence(run) if row["kind"] == "generation"]
    assert len(rows) == 2 * 6
    for variant in ("baseline", "qv-r8"):
        model: Any = AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32)
        if variant != "baseline":
            model = PeftModel.from_pretrained(model, str(SAMPLE / "adapters" / variant))
        model.to("cuda").eval()
        for row in (row for row in rows if row["variant"] == variant):
            before = tokenizer(prompts[row["example_id"]], add_special_tokens=False)["input_ids"]
            told = row["token_ids"]
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([before + told], device="cuda")).logits[0, len(before) - 1 : -1]
            found = torch.log_softmax(logits.double(), -1)
            assert row["token_logprobs"] == pytest.approx(found[range(len(told)), told].tolist(), abs=1e-4)
            top = found.max(-1).values.tolist()
            assert all(best - one < 1e-3 for best, one in zip(top, row["token_logprobs"], strict=True))
