"""The Adapters page without a browser: its sentence, its sections, and its faces when something is missing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.adapters import AdapterFacts, read_adapter
from core.adapters.anatomy import measure_anatomy
from core.adapters.kept import Answered, anatomy_job, merge_job, overlap_job, save_result
from core.adapters.merge import MergeCheck, MergeRow
from core.adapters.overlap import measure_overlap
from core.adapters.prompts import some_examples, some_prompts
from core.jobs.status import RunStatus, write_status
from core.merge_metrics import merge_metrics
from core.store import Run
from core.wording.merging import metrics_sentence
from tests.core.adapters.made import made_adapter, made_base
from tests.core.test_merge_metrics import answered
from tests.dashboard.pages import opened, shown
from tests.synthetic import make_workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with one run, whose base and adapters are on disk."""
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))
    folder = make_workspace(tmp_path / "w", n=12)
    text = (folder / "workspace.yaml").read_text()
    spec = Run(next((folder / "runs").iterdir())).spec
    for name in spec.models.adapters:
        made_adapter(folder / "adapters" / name, seed=len(name))
    made_base(folder / "made-base")
    (folder / "workspace.yaml").write_text(text.replace(spec.models.base.path, "made-base"))
    return folder


def _facts(workspace: Path, name: str) -> AdapterFacts:
    return read_adapter(workspace / "adapters" / name)


def test_before_it_is_measured_the_page_says_what_the_adapter_is(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(monkeypatch, workspace, "adapters", adapter="all-r8")
    text = shown(page)
    assert "all-r8 is a LoRA adapter of rank 3 on q_proj and v_proj in all 3 layers." in text
    assert [button.label for button in page.button] == ["Measure what it changed"]


def test_the_sentence_is_that_of_the_measurement(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = _facts(workspace, "qv-r8")
    anatomy = measure_anatomy(facts, workspace / "made-base")
    save_result(anatomy_job(workspace, facts, workspace / "made-base").folder, anatomy)
    page = opened(monkeypatch, workspace, "adapters", adapter="qv-r8")
    first = anatomy.most_moved[0]
    assert anatomy.share is not None and first.share is not None
    expected = (
        f"qv-r8 changes q_proj and v_proj in all 3 layers by {100 * anatomy.share:.2g} % of their norm; "
        f"most in layer {first.layer}&#x27;s {first.part.rpartition('.')[2]} ({100 * first.share:.2g} %)."
    )
    assert expected in shown(page)
    assert not page.button


def test_two_adapters_beside_each_other(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = _facts(workspace, "qv-r8"), _facts(workspace, "all-r8")
    save_result(overlap_job(workspace, one, other).folder, measure_overlap(one, other))
    page = opened(monkeypatch, workspace, "adapters", adapter="qv-r8", beside="all-r8")
    assert "qv-r8 and all-r8 both change 6 modules: all changes together have a cosine of" in shown(page)
    assert {button.label for button in page.button} == {"Measure what qv-r8 changed", "Measure what all-r8 changed"}
    facts = shown(opened(monkeypatch, workspace, "adapters", adapter="qv-r8", beside="all-r8", section="facts"))
    assert "How they were made, differences first" in facts


def test_checks_are_the_runs_own_and_remarks_come_first(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = workspace / "adapters" / "qv-r8" / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"r": 16}))
    text = shown(opened(monkeypatch, workspace, "adapters", adapter="qv-r8", section="facts"))
    assert "qv-r8: 1 remark on its files" in text
    assert text.index("says r = 16, but the tensors have rank 3") < text.index("pre-flight of run")


def test_a_training_without_a_log_says_how_to_have_one(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(opened(monkeypatch, workspace, "adapters", adapter="qv-r8", section="training"))
    assert "qv-r8 has no training log" in text and "trainer.save_state()" in text
    rows = [
        {"step": 1, "loss": 3.0},
        {"step": 2, "loss": 2.0},
        {"step": 1, "eval_loss": 1.0},
        {"step": 2, "eval_loss": 1.5},
    ]
    (workspace / "adapters" / "qv-r8" / "trainer_state.json").write_text(json.dumps({"log_history": rows}))
    text = shown(opened(monkeypatch, workspace, "adapters", adapter="qv-r8", section="training"))
    assert (
        "qv-r8: loss 3 at step 1, 2 at step 2; on held-out rows 1 at step 1, and then it rose to 1.5 at step 2" in text
    )


def test_merging_is_shown_as_it_was_checked(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(next((workspace / "runs").iterdir()))
    facts = _facts(workspace, "qv-r8")
    job = merge_job(workspace, facts, workspace / "made-base", 1.0, run.id, some_prompts(run), quantised=False)
    assert 0 < len(job.request["prompts"]) <= 8
    rows = (
        MergeRow("merged, float32", "unmerged, float32", 1e-5, 1e-6, 0, 32, 0, 64, 0, 2),
        MergeRow("merged, bfloat16", "unmerged, bfloat16", 0.25, 0.01, 3, 32, 9, 64, 1, 2),
    )
    save_result(job.folder, MergeCheck(facts.tensor_hash, rows, run.id, "cpu", 32))
    page = opened(monkeypatch, workspace, "adapters", adapter="qv-r8", section="merge", answered="0")
    expected = (
        "Merging qv-r8: in float32 logits move by up to 1e-05 and no greedy continuation changes; in bfloat16 logits move by up to "
        "0.25 and 1 of 2 greedy continuations change."
    )
    assert expected in shown(page) and not page.button


def test_metrics_of_merging_stand_below_it(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(next((workspace / "runs").iterdir()))
    facts = _facts(workspace, "qv-r8")
    asked = some_examples(run, 32)
    assert set(asked) == {"category", "reply"} and len(asked["reply"]) == 12
    job = merge_job(
        workspace, facts, workspace / "made-base", 1.0, run.id, some_prompts(run), False, Answered(run, asked)
    )
    check = replace(answered(job.folder, run, asked), tensor_hash=facts.tensor_hash)
    save_result(job.folder, check)
    page = opened(monkeypatch, workspace, "adapters", adapter="qv-r8", section="merge")
    text = shown(page)
    found = merge_metrics(job.folder, check)
    assert metrics_sentence(found) in text and "in bfloat16 most examples flip on" in text
    assert "What that does to the metrics" in text and "24 examples of run" in text and not page.button


def test_the_check_says_what_it_asks_before_it_is_started(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(monkeypatch, workspace, "adapters", adapter="qv-r8", section="merge", answered="16")
    assert [button.label for button in page.button] == ["Check what merging moves"]
    assert "and 24 examples of 2 tasks of run" in shown(page) and "The base is loaded twice" in shown(page)
    page.selectbox(key="adapters-answered").set_value("0").run()
    assert "examples of 2 tasks" not in shown(page) and "0" in page.query_params["answered"]


def test_a_measurement_that_failed_says_why(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = anatomy_job(workspace, _facts(workspace, "qv-r8"), workspace / "made-base")
    job.folder.mkdir(parents=True)
    write_status(job.folder, RunStatus("failed", error="The base <b>is</b> gone."))
    page = opened(monkeypatch, workspace, "adapters", adapter="qv-r8")
    assert "The base &lt;b&gt;is&lt;/b&gt; gone." in shown(page)
    assert [button.label for button in page.button] == ["Measure what it changed"]


def test_another_kind_of_adapter_is_shown_with_what_does_not_apply(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = workspace / "adapters" / "qv-r8" / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"peft_type": "IA3"}))
    for section in ("anatomy", "training", "facts", "merge"):
        text = shown(opened(monkeypatch, workspace, "adapters", adapter="qv-r8", section=section))
        assert "qv-r8 is an adapter of PEFT type IA3." in text
    assert "Merging is checked for LoRA." in text


def test_an_adapter_that_is_gone_is_answered_with_what_the_run_found(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(workspace / "adapters" / "qv-r8")
    text = shown(opened(monkeypatch, workspace, "adapters", adapter="qv-r8"))
    assert "qv-r8 cannot be read" in text and "found no folder" in text and "What run" in text


def test_adapters_are_shown_without_any_run(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(workspace / "runs")
    assert "qv-r8 is a LoRA adapter of rank 3" in shown(opened(monkeypatch, workspace, "adapters", adapter="qv-r8"))
    text = shown(opened(monkeypatch, workspace, "adapters", adapter="qv-r8", section="merge"))
    assert "A run is needed" in text
    assert "from its files" in shown(opened(monkeypatch, workspace, "adapters", adapter="qv-r8", section="facts"))
