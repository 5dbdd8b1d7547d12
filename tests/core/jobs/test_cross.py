"""Answers read by another variant: against what was recorded, against transformers' own forward pass, and when something is gone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from core.adapters.kept import AdapterJob, write_request
from core.cross.kept import (
    CrossRequest,
    cross_job,
    example_readings,
    known_cells,
    read_cross_request,
)
from core.cross.summary import cross_rows, estimates_divergence, recorded_gap
from core.data.prompt import PromptRenderer
from core.derived import StatisticsReader
from core.errors import InputError
from core.jobs import worker
from core.jobs.adapter_launch import job_status
from core.jobs.cross_likelihood import written
from core.records import Generation
from core.spec import Settings
from core.store import Run, write_table
from core.wording.cross import what_it_estimates
from tests.core.jobs.conftest import evidence

pytestmark = pytest.mark.model
READERS = ("baseline", "lora-0", "lora-1")


@pytest.fixture(scope="module")
def run(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run in a workspace of its own."""
    folder = finished.folder.parents[1]
    copy = shutil.copytree(folder, tmp_path_factory.mktemp("cross") / "w")
    return Run(copy / "runs" / finished.id)


def _job(run: Run, *variants: str, examples: tuple[str, ...] | None = None, reference: str = "baseline") -> AdapterJob:
    evidence_hash = StatisticsReader(run).evidence_hash
    assert evidence_hash is not None
    return cross_job(CrossRequest(run.folder, "reply", variants, reference, examples), evidence_hash)


def _done(job: AdapterJob, code: int = 0) -> Any:
    job.folder.mkdir(parents=True, exist_ok=True)
    write_request(job)
    assert worker.main([job.kind, str(job.folder)]) == code
    return job_status(job)


def _generations(run: Run) -> dict[tuple[str, str], dict]:
    rows = [row for row in evidence(run) if row["task"] == "reply" and row["kind"] == "generation"]
    return {(row["example_id"], row["variant"]): row for row in rows}


@pytest.fixture(scope="module")
def job(run: Run) -> AdapterJob:
    """Everything of the run, read by everybody that is asked by default."""
    job = _job(run, "lora-0", "lora-1")
    status = _done(job)
    assert (status.state, status.done, status.total) == ("finished", 7 * 16, 7 * 16)
    return job


def test_an_answer_read_by_its_own_writer_is_what_was_recorded(run: Run, job: AdapterJob) -> None:
    recorded = _generations(run)
    for example in ("e00", "e07", "e15"):
        found = example_readings(job.folder, example, READERS)
        for variant in READERS:
            likelihood = found[variant, variant].likelihood
            assert likelihood is not None
            row = recorded[example, variant]
            assert likelihood.token_ids == tuple(row["token_ids"])
            assert likelihood.token_logprobs == pytest.approx(row["token_logprobs"], abs=1e-4)
    gap = recorded_gap(run, "reply", job.folder, READERS)
    assert gap is not None and gap < 1e-3


def test_an_answer_read_by_another_is_that_models_own_forward_pass(run: Run, job: AdapterJob) -> None:
    workspace = run.folder.parents[1]
    base = LlamaForCausalLM.from_pretrained(workspace / "base")
    model: Any = PeftModel.from_pretrained(base, str(workspace / "adapters" / "lora-0")).eval()
    prompt = next(one.prompt for one in run.examples if (one.task, one.id) == ("reply", "e05"))
    ids = list(PromptRenderer(workspace / "base").encode(prompt).ids)
    for writer, reader in (("baseline", "lora-0"), ("lora-0", "baseline")):
        answer = _generations(run)["e05", writer]["token_ids"]
        with torch.inference_mode():
            if reader == "baseline":
                with model.disable_adapter():
                    logits = model(input_ids=torch.tensor([ids + answer])).logits[0]
            else:
                logits = model(input_ids=torch.tensor([ids + answer])).logits[0]
        logprobs = torch.log_softmax(logits.double(), -1)[len(ids) - 1 : -1]
        expected = logprobs[torch.arange(len(answer)), torch.tensor(answer)].tolist()
        likelihood = example_readings(job.folder, "e05", READERS)[writer, reader].likelihood
        assert likelihood is not None and likelihood.token_logprobs == pytest.approx(expected, abs=1e-4)


def test_only_pairs_with_the_reference_are_read(job: AdapterJob) -> None:
    assert {writer for _, writer in known_cells(job.folder, "baseline")} == set(READERS)
    assert {writer for _, writer in known_cells(job.folder, "lora-0")} == {"baseline", "lora-0"}


def test_the_mean_over_all_examples_is_that_of_the_evidence(run: Run, job: AdapterJob) -> None:
    rows = cross_rows(run, "reply", job.folder, ("lora-0",), "baseline")
    assert [(row.writer, row.complete, row.n_of, row.divergence) for row in rows] == [
        ("lora-0", True, 16, False),
        ("baseline", True, 16, False),
    ]
    for row in rows:
        gains = []
        for number in range(16):
            found = example_readings(job.folder, f"e{number:02d}", READERS)
            ours, theirs = (found[row.writer, reader].likelihood for reader in ("lora-0", "baseline"))
            assert ours is not None and theirs is not None
            gains.append(sum(ours.token_logprobs) - sum(theirs.token_logprobs))
        assert row.difference.difference == pytest.approx(np.mean(gains))
        assert row.difference.low is not None and row.difference.high is not None
        assert row.difference.low < np.mean(gains) < row.difference.high
    # greedy: each finds what it chose itself at least as likely as what the other would have chosen
    assert rows[0].difference.difference > 0 > rows[1].difference.difference  # type: ignore[operator]


def test_what_was_read_is_never_read_again(run: Run, job: AdapterJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any, **_more: Any) -> None:
        raise AssertionError("the models are loaded again")

    monkeypatch.setattr("core.engine.session.Session.__init__", fail)
    assert _done(_job(run, "lora-0", "lora-1")).total == 0
    # Thrown away with derived/, it is found in the cache, example by example.
    before = example_readings(job.folder, "e03", READERS)
    kept = job.folder.rename(job.folder.with_name("aside"))
    status = _done(_job(run, "lora-0", "lora-1"))
    assert (status.done, status.reused) == (112, 112)
    assert example_readings(job.folder, "e03", READERS) == before
    shutil.rmtree(kept)


def test_one_example_has_the_same_numbers_as_with_all_others(finished: Run, job: AdapterJob, tmp_path: Path) -> None:
    folder = shutil.copytree(finished.folder.parents[1], tmp_path / "w")
    run = Run(folder / "runs" / finished.id)
    alone = _job(run, "lora-0", "lora-1", examples=("e09",))
    assert _done(alone).total == 7
    assert alone.folder.name == job.folder.name, "a copied run finds its readings"
    assert example_readings(alone.folder, "e09", READERS) == example_readings(job.folder, "e09", READERS)
    rows = cross_rows(run, "reply", alone.folder, ("lora-0",), "baseline")
    assert [(row.difference.n, row.complete) for row in rows] == [(1, False), (1, False)]


def test_models_that_are_gone_or_changed_are_named(finished: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(finished.folder.parents[1], tmp_path / "w")
    run = Run(folder / "runs" / finished.id)
    job = _job(run, "lora-0")
    (folder / "adapters" / "lora-1").rename(folder / "elsewhere")
    assert _done(_job(run, "lora-0", examples=("e00",))).state == "finished", "an adapter that is not asked may be gone"
    (folder / "adapters" / "lora-0").rename(folder / "elsewhere-too")
    assert "found no folder" in _done(job, 2).error
    (folder / "elsewhere-too").rename(folder / "adapters" / "lora-0")
    config = folder / "adapters" / "lora-0" / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"lora_alpha": 3}))
    assert "'lora-0' has changed since this run began" in _done(job, 2).error
    (folder / "base").rename(folder / "base-elsewhere")
    assert "models.base: found no folder" in _done(job, 2).error
    (folder / "workspace.yaml").unlink()
    assert "lies in no workspace" in _done(job, 2).error


@pytest.mark.parametrize(
    ("task", "variants", "reference", "examples", "told"),
    [
        ("repl", ("lora-0",), "baseline", None, "no task 'repl' (did you mean 'reply'?)"),
        ("colour", ("lora-0",), "baseline", None, "'colour' has no generated answers to read; those with: reply"),
        ("reply", ("lora-9",), "baseline", None, "no variant 'lora-9'"),
        ("reply", ("baseline",), "baseline", None, "an answer is read by another variant; name one beside baseline"),
        ("reply", (), "lora-0", None, "name one beside lora-0"),
    ],
)
def test_what_cannot_be_asked_is_said(
    run: Run, task: str, variants: tuple[str, ...], reference: str, examples: Any, told: str
) -> None:
    with pytest.raises(InputError) as error:
        cross_job(CrossRequest(run.folder, task, variants, reference, examples), "0")
    assert told in str(error.value)


def test_an_unknown_example_and_a_broken_request_are_said(run: Run, tmp_path: Path) -> None:
    job = _job(run, "lora-0", examples=("e99",))
    aside = AdapterJob(job.kind, tmp_path / "job", job.request)
    assert "has no example 'e99'" in _done(aside, 2).error
    (tmp_path / "job" / "request.json").write_text('{"run": "x"}')
    with pytest.raises(InputError, match="the request lacks 'examples'"):
        read_cross_request(tmp_path / "job")


def test_an_answer_without_evidence_is_kept_with_its_reason(finished: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(finished.folder.parents[1], tmp_path / "w")
    run = Run(folder / "runs" / finished.id)
    table = pq.read_table(run.folder / "evidence.parquet")
    lost = [
        row["task"] == "reply" and row["variant"] == "lora-0" and row["example_id"] == "e00"
        for row in table.to_pylist()
    ]
    write_table(run.folder / "evidence.parquet", table.filter([not one for one in lost]))
    job = _job(run, "lora-0", examples=("e00", "e01"))
    _done(job)
    found = example_readings(job.folder, "e00", READERS)
    assert found["lora-0", "baseline"].reason == "there is no answer to read"
    assert found["baseline", "lora-0"].likelihood is not None
    assert [row.difference.n for row in cross_rows(run, "reply", job.folder, ("lora-0",), "baseline")] == [1, 2]


@pytest.mark.parametrize(
    ("settings", "estimates"),
    [
        ({"temperature": 1.0}, True),
        ({}, False),
        ({"temperature": 0.7}, False),
        ({"temperature": 1.0, "top_p": 0.9}, False),
        ({"temperature": 1.0, "stop": ("x",)}, False),
    ],
)
def test_only_draws_from_the_model_itself_estimate_a_divergence(settings: dict[str, Any], estimates: bool) -> None:
    assert estimates_divergence(Settings(**settings)) is estimates
    assert ("estimates the KL divergence" in what_it_estimates(estimates, 0.95)) is estimates


def test_tokens_are_placed_where_their_text_is(template: Path) -> None:
    renderer = PromptRenderer(template / "base")
    ids = renderer.encode("aé b<|im_end|>").ids  # single bytes: é is two of them
    answer = Generation("aé b", "eos", 1, ids, (0.0,) * len(ids))
    assert written(answer, renderer).starts == (0, 1, 1, 2, 3, 4)
    cut = Generation("aé", "stop", 1, ids[:-1], (0.0,) * 5)
    assert written(cut, renderer).starts == (0, 1, 1, 2, 2)
    assert written(cut, renderer).n_bytes == 3
