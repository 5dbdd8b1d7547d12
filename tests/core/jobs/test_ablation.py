"""An ablation as a run: parts computed once, shared with baseline and adapter, resumed to the same bits, within its budget."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.experiment import AblationChoice, left_out, prepare_ablation
from core.jobs import evaluate as job
from core.jobs import worker
from core.jobs.budget import Budget
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.records import BASELINE
from core.robustness import robustness
from core.store import Run
from core.workspace import load_workspace
from tests.core.jobs.conftest import evidence

PARTS = ("modules", "strength", "rank")
TASKS = ("colour", "reply")


def ablation(workspace: Path, **more: object) -> Run:
    choice: dict[str, Any] = {"adapter": "lora-0", "parts": PARTS, "tasks": TASKS, "examples": 6, **more}
    return prepare_ablation(load_workspace(workspace), AblationChoice(**choice))


@pytest.fixture(scope="module")
def done(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An ablation with every part that a tiny adapter has, mixed and with changed prompts."""
    folder = Path(shutil.copytree(template, tmp_path_factory.mktemp("ablation") / "w"))
    run = ablation(folder, parts=(*PARTS, "depth", "mixing", "prompt"), partners=("lora-1",), name="done")
    assert worker.main(["evaluate", str(run.folder)]) == 0
    return Run(run.folder)


def evidence_so_far(run: Run) -> list[dict]:
    return run.evidence(columns=["variant"]).to_pylist()


def rows(run: Run, variant: str) -> list[dict]:
    return run.evidence(variant=variant).drop_columns(["variant"]).to_pylist()


def test_every_variant_has_the_same_examples_and_none_a_reason(done: Run) -> None:
    clean = [row for row in evidence(done) if row["task"] in TASKS]
    asked = {variant: 0 for variant in done.spec.models.variants}
    for row in clean:
        asked[row["variant"]] += 1
        assert row["reason"] is None
    assert set(asked.values()) == {6 * 3}
    assert done.spec.ablation is not None
    assert {trial.variant for trial in done.spec.ablation.trials} == set(asked)
    assert rows(done, "lora-0.no-q_proj") != rows(done, "lora-0") != rows(done, "lora-0.rank-1")
    assert rows(done, "lora-0+lora-1.cat-0.5") != rows(done, "lora-0+lora-1.cat-0.25")


def test_changed_prompts_are_asked_of_whole_adapters_and_the_baseline_alone(done: Run) -> None:
    changed = {row["variant"] for row in evidence(done) if row["task"] not in TASKS}
    assert changed == {BASELINE, "lora-0", "lora-1"}
    plain = {example.task: example.prompt for example in done.examples if example.id == done.examples[0].id}
    assert "<|im_start|>" in plain["colour"]
    assert plain["colour"].split("\n")[1] == plain["colour+no-template"] + "<|im_end|>"
    lost = robustness(done)
    assert {row.perturbation for row in lost if row.task == "colour"} == {"no-template"}
    assert {row.perturbation for row in lost} == {"no-template", "temperature-0.7", "temperature-1"}
    assert all(row.n_changed == 6 for row in lost)
    assert lost[0].drops["lora-0"].difference is not None
    assert lost[0].drops["lora-0.rank-1"].difference is None


def test_a_temperature_of_its_own_is_drawn_and_leaves_the_other_answers_greedy(done: Run) -> None:
    said = {
        task: [
            row["text"] for row in evidence(done) if (row["task"], row["variant"], row["item"]) == (task, "lora-0", "")
        ]
        for task in ("reply", "reply+temperature-0.7", "reply+temperature-1")
    }
    assert len({tuple(texts) for texts in said.values()}) == 3
    plain = {
        row["example_id"]: row["text"] for row in rows(done, "lora-0") if (row["task"], row["item"]) == ("reply", "")
    }
    assert list(plain.values()) == said["reply"]


def test_the_adapter_is_checked_once_and_its_parts_are_not(done: Run) -> None:
    assert set((done.read_json("preflight") or {})["variants"]) == {"lora-0", "lora-1"}
    trained = (done.read_json("environment") or {})["training"]
    whole, cut = trained["lora-0"]["parameters"], trained["lora-0.rank-1"]["parameters"]
    assert (whole, cut) == (4 * trained["lora-0.rank-1"]["parameters"], whole // 4)


def test_strength_nought_and_one_and_a_part_that_keeps_all_share_what_was_computed(workspace: Path, done: Run) -> None:
    first = prepare_run(load_workspace(workspace), Choice(tasks=TASKS, limit=6, adapters=("lora-0",)))
    assert worker.main(["evaluate", str(first.folder)]) == 0
    path = workspace / "workspace.yaml"
    path.write_text(
        path.read_text().replace(
            "lora-1: {path: adapters/lora-1}",
            "off: {path: adapters/lora-0, scale: 0}\n    all: {path: adapters/lora-0, part: {layers: [0, 1], rank: 4}}\n"
            "    none: {path: adapters/lora-0, part: {modules: []}}\n    half: {path: adapters/lora-0, scale: 0.5}",
        )
    )
    second = prepare_run(load_workspace(workspace), Choice(tasks=TASKS, limit=6, adapters=("off", "all", "half")))
    assert worker.main(["evaluate", str(second.folder)]) == 0
    status = read_status(second)
    assert status.reused == status.total * 3 // 4, "only the adapter at half its strength was computed"
    assert rows(second, "off") == rows(first, BASELINE)
    assert rows(second, "all") == rows(first, "lora-0")
    assert rows(second, "half") != rows(first, "lora-0")
    third = prepare_run(load_workspace(workspace), Choice(tasks=TASKS, limit=6, adapters=("none",)))
    assert worker.main(["evaluate", str(third.folder)]) == 0
    assert read_status(third).reused == read_status(third).total
    assert rows(third, "none") == rows(first, BASELINE)


def test_stopped_in_the_middle_and_resumed_it_ends_with_the_same_bits(workspace: Path, monkeypatch) -> None:
    run = ablation(workspace, parts=("rank",), name="one")
    assert worker.main(["evaluate", str(run.folder)]) == 0
    other = Path(
        shutil.copytree(workspace, workspace.parent / "other", ignore=shutil.ignore_patterns(".lorascope", "runs"))
    )
    again = ablation(other, parts=("rank",), name="one")
    original = job.write_table

    def full_disk(path, table):
        if "rank-2" in str(path):
            raise OSError(28, "no space", str(path))
        original(path, table)

    monkeypatch.setattr(job, "write_table", full_disk)
    assert worker.main(["evaluate", str(again.folder)]) == 1
    monkeypatch.undo()
    assert worker.main(["evaluate", str(again.folder)]) == 0
    assert evidence(again) == evidence(run)


def test_a_spent_budget_is_said_and_resuming_goes_on(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ablation(workspace, parts=("rank",), name="short", minutes=3.0)
    ticks = iter(range(0, 10_000, 50))
    monkeypatch.setattr(job, "Budget", lambda minutes: Budget(minutes, clock=lambda: float(next(ticks))))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    monkeypatch.undo()
    status = read_status(run)
    order = run.spec.models.variants
    assert status.state == "cancelled"
    assert status.left_out == left_out(run) == order[1:], "the second would have ended after 200 of 180 seconds"
    assert status.message.startswith(
        "The budget of 3 minutes left out 3 variants: lora-0, lora-0.rank-2, lora-0.rank-1."
    )
    assert {row["variant"] for row in evidence_so_far(run)} == {BASELINE}
    assert worker.main(["evaluate", str(run.folder)]) == 0
    assert (read_status(run).state, left_out(run)) == ("finished", ())


def test_a_budget_lets_the_first_begin_and_then_only_what_fits() -> None:
    now = [0.0]
    budget = Budget(1.0, clock=lambda: now[0])
    assert budget.allows(10**9)
    budget.begin()
    now[0] = 20.0
    budget.end(100)
    assert budget.allows(200)
    assert not budget.allows(201)
    budget.begin()
    now[0] = 30.0
    budget.end(100)
    assert budget.allows(150), "at the pace of the slowest, 0.2 seconds a token"
    assert not budget.allows(151)
    assert Budget(None).allows(10**12)


@pytest.mark.parametrize(
    ("key", "where"),
    [("of: lora-1", "models.adapters.lora-0.of"), ("part: {rank: 0}", "models.adapters.lora-0.part.rank")],
)
def test_what_a_run_writes_is_refused_in_a_workspace(workspace: Path, key: str, where: str) -> None:
    path = workspace / "workspace.yaml"
    path.write_text(
        path.read_text().replace("lora-0: {path: adapters/lora-0}", f"lora-0: {{path: adapters/lora-0, {key}}}")
    )
    with pytest.raises(InputError, match=where):
        load_workspace(workspace)


def test_mixtures_are_made_by_the_command_and_refused_in_a_workspace(workspace: Path) -> None:
    path = workspace / "workspace.yaml"
    mixed = "  mixtures: {m: {method: cat, weights: {lora-0: 0.5, lora-1: 0.5}}}\ndatasets:"
    path.write_text(path.read_text().replace("datasets:", mixed, 1))
    with pytest.raises(
        InputError, match=r"models\.mixtures: a run writes this key itself; .* lorascope ablate --adapter NAME"
    ):
        load_workspace(workspace)
