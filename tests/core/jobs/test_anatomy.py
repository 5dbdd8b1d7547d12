"""Jobs that look into an adapter: against PEFT's own merged weights, and live through the worker."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import LlamaForCausalLM

from core.adapters import read_adapter
from core.adapters.anatomy import measure_anatomy
from core.adapters.kept import (
    AdapterJob,
    anatomy_job,
    load_anatomy,
    load_merge_check,
    load_overlap,
    merge_job,
    overlap_job,
    write_request,
)
from core.jobs import worker
from core.jobs.adapter_launch import job_log_tail, job_status, start_job
from tests.tiny import make_adapter, make_base

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny base and two adapters."""
    folder = tmp_path_factory.mktemp("place")
    make_base(folder / "base")
    make_adapter(folder / "base", folder / "one", seed=1)
    make_adapter(folder / "base", folder / "two", seed=2, rank=2)
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))


def _run(job: AdapterJob) -> int:
    job.folder.mkdir(parents=True)
    write_request(job)
    return worker.main([job.kind, str(job.folder)])


def _merged_minus_base(base: Path, adapter: Path) -> dict[str, np.ndarray]:
    """Return every weight's change by PEFT itself: merged, minus what was there before."""
    before = {
        name: value.clone() for name, value in LlamaForCausalLM.from_pretrained(base).double().state_dict().items()
    }
    loaded: Any = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(base).double(), str(adapter)).double()
    after = loaded.merge_and_unload().state_dict()
    return {name.removesuffix(".weight"): (after[name] - before[name]).numpy() for name in before}


VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rank-stabilised": {"use_rslora": True},
    "ranks and alphas of their own": {
        "rank_pattern": {"v_proj": 2},
        "alpha_pattern": {r"layers\.1\.self_attn\.q_proj": 3},
    },
    "DoRA": {"use_dora": True},
    "embeddings": {"target_modules": ["embed_tokens", "down_proj"]},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_change_is_that_of_pefts_own_merging(place: Path, tmp_path: Path, name: str) -> None:
    torch.manual_seed(5)
    settings = {"r": 4, "lora_alpha": 6, "target_modules": ["q_proj", "v_proj"]} | VARIANTS[name]
    adapted = get_peft_model(LlamaForCausalLM.from_pretrained(place / "base"), LoraConfig(**settings))
    for key, parameter in adapted.named_parameters():
        if "lora_" in key:
            torch.nn.init.normal_(parameter, mean=1.0 if "magnitude" in key else 0.0, std=0.3)
    adapted.save_pretrained(str(tmp_path / "adapter"))
    changes = _merged_minus_base(place / "base", tmp_path / "adapter")
    anatomy = measure_anatomy(read_adapter(tmp_path / "adapter"), place / "base")
    assert {one.module for one in anatomy.modules} == {
        key for key, change in changes.items() if np.abs(change).max() > 0
    } - {"lm_head"}
    for one in anatomy.modules:
        dense = changes[one.module]
        assert one.change_norm == pytest.approx(np.linalg.norm(dense), rel=1e-5)
        if name != "DoRA":
            values = np.linalg.svd(dense, compute_uv=False)[: len(one.singular_values)]
            assert one.singular_values == pytest.approx(values, rel=1e-4, abs=1e-6)


def test_anatomy_through_the_worker(place: Path, tmp_path: Path) -> None:
    facts = read_adapter(place / "one")
    job = anatomy_job(tmp_path, facts, place / "base")
    assert load_anatomy(job) is None
    assert _run(job) == 0
    stored = load_anatomy(job)
    assert stored == measure_anatomy(facts, place / "base")
    status = job_status(job)
    assert status is not None and (status.state, status.done, status.total) == ("finished", 4, 4)
    assert anatomy_job(tmp_path, read_adapter(place / "two"), place / "base").folder != job.folder


def test_overlap_through_the_worker(place: Path, tmp_path: Path) -> None:
    job = overlap_job(tmp_path, read_adapter(place / "one"), read_adapter(place / "two"))
    assert _run(job) == 0
    stored = load_overlap(job)
    assert stored is not None and len(stored.modules) == 4
    assert all(one.output_overlap is not None and 0 <= one.output_overlap <= 1 for one in stored.modules)


def test_what_went_wrong_is_the_status(place: Path, tmp_path: Path) -> None:
    facts = read_adapter(make_adapter(place / "base", tmp_path / "gone"))
    job = anatomy_job(tmp_path, facts, place / "base")
    (tmp_path / "gone" / "adapter_config.json").unlink()
    assert _run(job) == 2
    status = job_status(job)
    assert status is not None and status.state == "failed" and "found no adapter_config.json" in (status.error or "")
    assert load_anatomy(job) is None


def test_a_damaged_result_counts_as_none(place: Path, tmp_path: Path) -> None:
    job = anatomy_job(tmp_path, read_adapter(place / "one"), place / "base")
    assert _run(job) == 0
    path = job.folder / "result.json"
    content = json.loads(path.read_text())
    path.write_text(path.read_text()[:-20])
    assert load_anatomy(job) is None
    path.write_text(json.dumps(content | {"modules": "many"}))
    assert load_anatomy(job) is None


def test_merging_moves_little_in_float32_and_more_in_bfloat16(place: Path, tmp_path: Path) -> None:
    prompts = ["<|im_start|>user\nhow are you<|im_end|>\n<|im_start|>assistant\n", "plain words"]
    job = merge_job(tmp_path, read_adapter(place / "one"), place / "base", 1.0, "run-1", prompts, quantised=False)
    assert _run(job) == 0
    found = load_merge_check(job)
    assert found is not None and found.run == "run-1"
    assert [(row.model, row.against) for row in found.rows] == [
        ("merged, float32", "unmerged, float32"),
        ("merged, bfloat16", "unmerged, bfloat16"),
        ("unmerged, bfloat16", "unmerged, float32"),
    ]
    exact, rounded, precision = found.rows
    assert exact.largest_logit_change is not None and 0 < exact.largest_logit_change < 1e-3
    assert exact.other_tokens == 0 and exact.tokens > 0 and exact.prompts == 2 and exact.positions > 0
    assert rounded.largest_logit_change is not None and rounded.largest_logit_change > 10 * exact.largest_logit_change
    assert precision.mean_logit_change is not None and precision.mean_logit_change > (
        exact.mean_logit_change or math.inf
    )


def test_an_adapter_of_scale_0_merges_into_the_base_itself(place: Path, tmp_path: Path) -> None:
    job = merge_job(
        tmp_path, read_adapter(place / "one"), place / "base", 0.0, "run-1", ["a few words"], quantised=False
    )
    assert _run(job) == 0
    found = load_merge_check(job)
    assert found is not None and found.rows[0].largest_logit_change == 0


def test_without_bitsandbytes_the_quantised_base_is_said_to_be_missing(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.merge_check.find_spec", lambda name: None)
    job = merge_job(tmp_path, read_adapter(place / "one"), place / "base", 1.0, "run-1", ["words"], quantised=True)
    assert _run(job) == 0
    found = load_merge_check(job)
    assert found is not None
    assert "bitsandbytes is not installed" in found.rows[-1].reason and found.rows[-1].largest_logit_change is None


def test_nothing_to_ask_is_told(place: Path, tmp_path: Path) -> None:
    job = merge_job(tmp_path, read_adapter(place / "one"), place / "base", 1.0, "run-1", ["", ""], quantised=False)
    assert _run(job) == 2
    status = job_status(job)
    assert status is not None and "no prompt to ask" in (status.error or "")


def test_a_process_of_its_own_measures(place: Path, tmp_path: Path) -> None:
    job = anatomy_job(tmp_path, read_adapter(place / "one"), place / "base")
    os.waitpid(start_job(job), 0)
    assert load_anatomy(job) is not None, job_log_tail(job)
