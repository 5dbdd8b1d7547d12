"""What merged and unmerged models answer: against the ordinary run of the same adapter, with no base loaded more than needed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from peft import PeftModel
from transformers import LlamaForCausalLM

from core.adapters import read_adapter
from core.adapters.kept import AdapterJob, Answered, load_merge_check, merge_job, write_request
from core.adapters.merge import ON_4_BITS, variant_name
from core.adapters.prompts import some_examples
from core.jobs import worker
from core.jobs.adapter_launch import job_status
from core.merge_metrics import merge_metrics
from core.store import Run
from tests.core.jobs.conftest import evidence

pytestmark = pytest.mark.model
IDS = ("e00", "e05", "e10")


@pytest.fixture(scope="module")
def run(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    copy = shutil.copytree(finished.folder.parents[1], tmp_path_factory.mktemp("merging") / "w")
    return Run(copy / "runs" / finished.id)


def _job(run: Run, examples: dict[str, tuple[str, ...]], quantised: bool = False, scale: float = 1.0) -> AdapterJob:
    workspace = run.folder.parents[1]
    facts = read_adapter(workspace / "adapters" / "lora-0")
    prompts = ["a few words"]
    return merge_job(
        workspace, facts, workspace / "base", scale, run.id, prompts, quantised, Answered(run, examples)
    )  # fmt: skip


def _done(job: AdapterJob) -> int:
    job.folder.mkdir(parents=True, exist_ok=True)
    write_request(job)
    return worker.main([job.kind, str(job.folder)])


def _not_quantised_at_all(base: Path, adapter: Path, _device: Any) -> Any:
    """Stand in for a base in 4 bits, with the whole base: what is asked of it then has to be what the exact model answers."""
    return PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(base), str(adapter)).eval()


def test_the_answers_are_those_of_a_run_and_the_base_is_loaded_once_a_precision(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.engine import models

    loaded: list[Path] = []
    real = models.load_causal
    monkeypatch.setattr(models, "load_causal", lambda folder, *rest: (loaded.append(folder), real(folder, *rest))[1])
    monkeypatch.setattr("core.jobs.merge_check.find_spec", lambda name: name)
    monkeypatch.setattr("core.engine.merge.load_on_quantised", _not_quantised_at_all)
    job = _job(run, {"colour": IDS, "reply": IDS}, quantised=True)
    assert _done(job) == 0
    assert len(loaded) == 2
    check = load_merge_check(job)
    assert check is not None and check.answered == 6
    assert check.rows[-1].model == ON_4_BITS and not check.rows[-1].reason
    status = job_status(job)
    asked = 1 + 3 + 3 + 3  # a prompt, labels, answers, references
    assert status is not None and status.done == status.total == 5 * asked
    answers = Run(job.folder / "answers")
    ordinary = {
        (row["task"], row["example_id"], row["item"]): row
        for row in evidence(run)
        if row["variant"] == "lora-0" and row["example_id"] in IDS
    }
    exact = ("unmerged-float32", "merged-float32", variant_name(ON_4_BITS))
    found = [row for row in evidence(answers) if row["variant"] in exact]
    assert len(found) == 27
    for row in found:
        expected = ordinary[row["task"], row["example_id"], row["item"]]
        assert row["text"] == expected["text"]
        for column in ("token_logprobs", "option_logprob_sums"):
            assert (row[column] is None) == (expected[column] is None)
            if row[column] is not None:
                assert row[column] == pytest.approx(expected[column], abs=1e-3)
    metrics = merge_metrics(job.folder, check)
    assert {(one.task, one.metric) for one in metrics} == {
        ("colour", "accuracy"), ("colour", "f1_macro"), ("reply", "bleu"), ("reply", "chrf"), ("reply", "perplexity"),
    }  # fmt: skip
    assert all(one.difference.n == 3 for one in metrics)
    for model in ("merged, float32", ON_4_BITS):
        still = next(one for one in metrics if (one.metric, one.model) == ("perplexity", model))
        assert still.difference.difference == pytest.approx(0, abs=0.05) and still.flips == 0


def test_an_adapter_of_scale_0_answers_as_the_baseline_merged_or_not(run: Run) -> None:
    job = _job(run, {"colour": IDS[:1]}, scale=0.0)
    assert _done(job) == 0
    baseline = next(
        row["option_logprob_sums"]
        for row in evidence(run)
        if (row["task"], row["variant"], row["example_id"]) == ("colour", "baseline", "e00")
    )
    for row in evidence(Run(job.folder / "answers")):
        if row["variant"].endswith("float32"):
            assert row["option_logprob_sums"] == pytest.approx(baseline, abs=1e-3)


def test_examples_that_are_gone_are_told_and_nothing_is_kept(run: Run) -> None:
    job = _job(run, {"colour": ("e00", "e99")})
    assert _done(job) == 2
    status: Any = job_status(job)
    assert "some of the examples are not there any more" in status.error
    assert load_merge_check(job) is None


def test_examples_are_spread_over_tasks_that_are_answered_and_measured(run: Run) -> None:
    found = some_examples(run, 4)
    assert found == {
        task: ("e00", "e04", "e08", "e12") for task in ("colour", "reply")
    }  # plain is scored, the others have no metric
    assert len(some_examples(run, 100)["colour"]) == 16 and some_examples(run, 0) == {}


def test_every_choice_has_a_folder_of_its_own(run: Run) -> None:
    folders = {_job(run, {"colour": ids}).folder for ids in (IDS, IDS[:2], ())}
    assert len(folders) == 3
