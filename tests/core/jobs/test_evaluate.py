"""A run is the same whatever happened on the way; what was computed once is found again; faults are said."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from core.errors import InputError
from core.jobs import evaluate as job
from core.jobs import launch, worker
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run, write_table
from core.workspace import load_workspace
from tests.tiny import make_adapter, make_base, make_workspace


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace; tests copy it, since a workspace's cache would let one test find what another computed."""
    return make_workspace(tmp_path_factory.mktemp("workspace"), n=16)


@pytest.fixture
def workspace(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "w"))


@pytest.fixture(scope="module")
def finished(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that nobody disturbed."""
    folder = Path(shutil.copytree(template, tmp_path_factory.mktemp("finished") / "w"))
    run = prepare_run(load_workspace(folder), Choice(name="whole"))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    return Run(run.folder)


def evidence(run: Run) -> list[dict]:
    return pq.read_table(run.folder / "evidence.parquet").to_pylist()


def test_a_run_holds_every_piece_of_evidence_once(finished: Run) -> None:
    rows = evidence(finished)
    keys = [(r["task"], r["variant"], r["example_id"], r["item"]) for r in rows]
    assert len(keys) == len(set(keys))
    per_variant = 16 * (1 + 1 + 3 + 1 + 2 + 1)  # colour, level, three marks, docs, reply and its likelihood, plain
    assert len(rows) == 3 * per_variant
    assert all(row["reason"] is None for row in rows)
    status = read_status(finished)
    assert (status.state, status.done, status.total) == ("finished", 3 * per_variant, 3 * per_variant)
    assert not (finished.folder / "parts").exists()


def test_adapters_differ_from_the_baseline_and_prompts_are_kept(finished: Run) -> None:
    found = {
        v: finished.evidence(task="colour", variant=v)["option_logprob_sums"].to_pylist()
        for v in ("baseline", "lora-0", "lora-1")
    }
    assert found["baseline"] != found["lora-0"] != found["lora-1"]
    assert "number 0" in finished.examples[0].prompt
    assert finished.examples[0].prompt.endswith("<|im_start|>assistant\n")


@pytest.mark.parametrize("moments", [1, 3])
def test_killed_and_resumed_it_ends_with_the_same_bits(workspace: Path, finished: Run, moments: int) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="whole"))
    for kill in range(moments):
        process = subprocess.Popen([sys.executable, "-m", "core.jobs.worker", "evaluate", str(run.folder)])
        wanted = 2 * kill + 1
        while process.poll() is None and len(list(run.folder.glob("parts/*/*.parquet"))) < wanted:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert read_status(run).state != "finished", "it was too fast to be killed in the middle"
    assert worker.main(["evaluate", str(run.folder)]) == 0
    assert evidence(run) == evidence(finished)


def test_a_second_run_finds_everything_and_imports_no_torch(workspace: Path, finished: Run) -> None:
    first = prepare_run(load_workspace(workspace), Choice(name="first"))
    assert worker.main(["evaluate", str(first.folder)]) == 0
    second = prepare_run(load_workspace(workspace), Choice(name="second"))
    code = (
        "import sys; from core.jobs import worker; assert worker.main(['evaluate', sys.argv[1]]) == 0; "
        "assert not {'torch', 'transformers', 'peft'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(second.folder)], check=True)
    status = read_status(second)
    assert status.reused == status.done == status.total > 0
    assert evidence(second) == evidence(first)


def test_one_more_adapter_costs_one_adapter(workspace: Path) -> None:
    few = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    assert worker.main(["evaluate", str(few.folder)]) == 0
    more = prepare_run(load_workspace(workspace), Choice(name="more"))
    assert worker.main(["evaluate", str(more.folder)]) == 0
    status = read_status(more)
    assert status.reused == status.total * 2 // 3


def test_a_retrained_adapter_in_the_same_folder_is_computed_anew(workspace: Path) -> None:
    first = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    assert worker.main(["evaluate", str(first.folder)]) == 0
    make_adapter(workspace / "base", workspace / "adapters" / "lora-0", seed=99)
    second = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    assert worker.main(["evaluate", str(second.folder)]) == 0
    assert read_status(second).reused == read_status(second).total // 2  # the baseline alone
    texts = [run.evidence(task="reply", variant="lora-0")["token_logprobs"].to_pylist() for run in (first, second)]
    assert texts[0] != texts[1]


def test_another_alpha_with_the_same_tensors_is_computed_anew(workspace: Path) -> None:
    first = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    assert worker.main(["evaluate", str(first.folder)]) == 0
    path = workspace / "adapters" / "lora-0" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"lora_alpha": 1}))
    second = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    assert worker.main(["evaluate", str(second.folder)]) == 0
    assert read_status(second).reused == read_status(second).total // 2


def test_scale_zero_equals_the_baseline(workspace: Path) -> None:
    path = workspace / "workspace.yaml"
    path.write_text(
        path.read_text().replace("lora-0: {path: adapters/lora-0}", "lora-0: {path: adapters/lora-0, scale: 0}")
    )
    run = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",), tasks=("reply", "colour")))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    ours, theirs = (run.evidence(variant=v).drop_columns(["variant"]).to_pylist() for v in ("baseline", "lora-0"))
    assert ours == theirs


def test_a_checkpoint_is_a_variant_beside_adapters(workspace: Path) -> None:
    make_base(workspace / "tuned", seed=5)
    path = workspace / "workspace.yaml"
    path.write_text(
        path.read_text().replace("datasets:", "  checkpoints: {tuned: {path: tuned}, same: {path: base}}\ndatasets:", 1)
    )
    run = prepare_run(
        load_workspace(workspace), Choice(adapters=("lora-0", "tuned", "same"), tasks=("colour", "reply"))
    )
    assert worker.main(["evaluate", str(run.folder)]) == 0
    found = {v: run.evidence(variant=v).drop_columns(["variant"]).to_pylist() for v in run.spec.models.variants}
    assert list(found) == ["baseline", "lora-0", "tuned", "same"]
    assert found["same"] == found["baseline"]
    assert found["tuned"] != found["baseline"]


def test_resuming_with_other_weights_is_refused(workspace: Path) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="changed"))
    process = subprocess.Popen([sys.executable, "-m", "core.jobs.worker", "evaluate", str(run.folder)])
    while process.poll() is None and not list(run.folder.glob("parts/*/*.parquet")):
        time.sleep(0.002)
    process.kill()
    process.wait()
    make_adapter(workspace / "base", workspace / "adapters" / "lora-1", seed=77)
    assert worker.main(["evaluate", str(run.folder)]) == 2
    assert "'lora-1' has changed since this run began" in (read_status(run).error or "")


def test_out_of_memory_halves_a_batch_and_goes_on(
    workspace: Path, finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.engine import session

    whole = session.generate_rows

    def small(model, requests, *rest, **named):
        if len(requests) > 3:
            raise torch.OutOfMemoryError("no room")
        return whole(model, requests, *rest, **named)

    monkeypatch.setattr(session, "generate_rows", small)
    run = prepare_run(load_workspace(workspace), Choice(adapters=(), tasks=("reply",)))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    assert any("out of memory with" in warning for warning in read_status(run).warnings)
    texts = run.evidence(columns=["example_id", "text", "item"], task="reply").to_pylist()
    assert len([row for row in texts if row["item"] == ""]) == 16


def test_an_example_that_does_not_fit_alone_is_marked_with_the_reason(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.engine import session

    def never(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(session, "generate_rows", never)
    run = prepare_run(load_workspace(workspace), Choice(adapters=(), tasks=("reply",), limit=2))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    rows = [row for row in run.evidence(task="reply").to_pylist() if row["item"] == ""]
    assert [row["reason"] for row in rows] == ["not enough memory for this example alone"] * 2


def test_a_full_disk_is_said_and_the_run_goes_on_later(
    workspace: Path, finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="whole"))
    written = 0

    def full(path, table):
        nonlocal written
        written += 1
        if written > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write_table(path, table)

    monkeypatch.setattr(job, "write_table", full)
    assert worker.main(["evaluate", str(run.folder)]) == 1
    status = read_status(run)
    assert status.state == "failed"
    assert "the disk is full" in (status.error or "")
    monkeypatch.undo()
    assert worker.main(["evaluate", str(run.folder)]) == 0
    assert evidence(run) == evidence(finished)


def test_a_prompt_longer_than_the_context_is_left_out_with_the_reason(workspace: Path) -> None:
    with (workspace / "data.jsonl").open("a") as file:
        row = {"id": "long", "text": "a" * 3000, "colour": "red", "level": 1, "marks": [], "docs": ["a", "b"], "grades": [1, 0],
               "reply": "r", "language": "en"}  # fmt: skip
        file.write(json.dumps(row) + "\n")
    run = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",), tasks=("colour",)))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    left_out = [row for row in run.evidence(task="colour").to_pylist() if row["reason"]]
    assert [(row["variant"], row["example_id"]) for row in left_out] == [("baseline", "long"), ("lora-0", "long")]
    assert "the model's context holds 2,048" in left_out[0]["reason"]


def test_started_in_the_background_and_cancelled_it_keeps_what_is_finished(workspace: Path, finished: Run) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="whole"))
    launch.start(run)
    with pytest.raises(InputError, match="a worker is at this run already"):
        launch.start(run)
    deadline = time.time() + 60
    while time.time() < deadline and read_status(run).state in ("queued", "loading"):
        time.sleep(0.01)
    launch.cancel(run)
    while time.time() < deadline and launch.worker_is_alive(run):
        time.sleep(0.05)
    assert read_status(run).state == "cancelled"
    launch.start(run)
    while time.time() < deadline and read_status(run).active:
        time.sleep(0.05)
    assert evidence(run) == evidence(finished)


def test_two_workers_do_not_work_on_one_run(workspace: Path) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="one"))
    first = subprocess.Popen([sys.executable, "-m", "core.jobs.worker", "evaluate", str(run.folder)])
    while first.poll() is None and read_status(run).pid != first.pid:
        time.sleep(0.002)
    with pytest.raises(InputError, match="another worker is at this run already"):
        job.evaluate(run.folder)
    assert first.wait() == 0
    assert read_status(run).state == "finished"


def test_a_run_that_was_copied_away_is_viewed_but_not_computed(finished: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished.folder, tmp_path / "elsewhere" / "run"))
    assert Run(folder).evidence().num_rows == finished.evidence().num_rows
    (folder / "evidence.parquet").unlink()
    assert worker.main(["evaluate", str(folder)]) == 2
    assert "lies in no workspace" in (read_status(Run(folder)).error or "")


def test_a_stopped_heartbeat_is_an_interrupted_run(finished: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished.folder, tmp_path / "run"))
    path = folder / "status.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"state": "running"}))
    run = Run(folder)
    updated = read_status(run).updated
    assert read_status(run, now=updated + 1).state == "running"
    assert read_status(run, now=updated + 1000).state == "interrupted"


def test_faulty_adapters_are_refused_before_anything_runs(workspace: Path, tmp_path: Path) -> None:
    adapters = workspace / "adapters"
    make_adapter(workspace / "base", adapters / "lora-0", zero=True)
    with pytest.raises(InputError, match="does nothing"):
        prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    other = make_base(tmp_path / "other", hidden=64)
    make_adapter(other, adapters / "lora-0")
    with pytest.raises(InputError, match="another base"):
        prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    weights = adapters / "lora-0" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputError, match="lora-0"):
        prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    weights.unlink()
    (adapters / "lora-0" / "adapter_model.bin").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(InputError, match="pickle"):
        prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    assert not list((workspace / "runs").glob("*")) if (workspace / "runs").exists() else True


def test_names_that_are_not_there_are_answered_with_the_nearest(workspace: Path) -> None:
    opened = load_workspace(workspace)
    with pytest.raises(InputError, match=r"no adapter 'lora_0' \(did you mean 'lora-0'\?\)"):
        prepare_run(opened, Choice(adapters=("lora_0",)))
    with pytest.raises(InputError, match=r"no task 'color' \(did you mean 'colour'\?\)"):
        prepare_run(opened, Choice(tasks=("color",)))
    shutil.rmtree(workspace / "adapters" / "lora-1")
    with pytest.raises(InputError, match="models.adapters.lora-1.path"):
        prepare_run(opened, Choice())
    shutil.rmtree(workspace / "base")
    with pytest.raises(InputError, match="models.base.path"):
        prepare_run(opened, Choice(adapters=("lora-0",)))


def test_the_probe_measures_each_variant_alone(workspace: Path) -> None:
    run = prepare_run(load_workspace(workspace), Choice(tasks=("reply",), limit=4, settings={"probe": True}))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    probe = run.read_json("probe")
    assert probe["settings"]["repeats"] == 5
    counts = {v: sum(r["variant"] == v for r in probe["repeats"]) for v in run.spec.models.variants}
    assert set(counts.values()) == {5 * probe["settings"]["prompts"]}
    assert all(0 < r["seconds_to_first_token"] <= r["seconds"] and r["peak_bytes"] > 0 for r in probe["repeats"])
