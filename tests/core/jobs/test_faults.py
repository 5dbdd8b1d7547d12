"""What goes wrong is said in a sentence, and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from core.errors import InputError
from core.jobs import evaluate as job
from core.jobs import launch, worker
from core.jobs.status import read_status
from core.paths import import_path
from core.prepare import Choice, prepare_run
from core.store import Run, write_table
from core.workspace import load_workspace
from tests.core.jobs.conftest import evidence


def without_room_for_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.engine.observe import Observer

    def never(*_: object, **__: object) -> bool:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr(Observer, "_answer", never)


def test_out_of_memory_halves_a_batch_and_goes_on(
    workspace: Path, finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.engine.stream import Stream

    whole = Stream.go

    def small(stream, *given, side_by_side, **named):
        if side_by_side > 3:
            raise torch.OutOfMemoryError("no room")
        whole(stream, *given, side_by_side=side_by_side, **named)

    monkeypatch.setattr(Stream, "go", small)
    run = prepare_run(load_workspace(workspace), Choice(adapters=(), tasks=("reply",)))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    assert any("out of memory with" in warning for warning in read_status(run).warnings)
    texts = run.evidence(columns=["example_id", "text", "item"], task="reply").to_pylist()
    assert len([row for row in texts if row["item"] == ""]) == 16


def test_an_example_that_does_not_fit_alone_is_marked_with_the_reason(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_room_for_answers(monkeypatch)
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


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_any_more_is_said(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    run = prepare_run(load_workspace(workspace), Choice(adapters=(), tasks=("colour",), limit=2))

    def locked(path: Path, _table: object) -> None:
        raise OSError(code, os.strerror(code), str(path))

    with monkeypatch.context() as patched:
        patched.setattr(job, "write_table", locked)
        assert worker.main(["evaluate", str(run.folder)]) == 1
    assert "cannot be written" in (read_status(run).error or "")
    assert "Make it writable and resume." in (read_status(run).error or "")
    assert worker.main(["evaluate", str(run.folder)]) == 0


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


def test_a_stopped_heartbeat_is_an_interrupted_run(finished: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished.folder, tmp_path / "run"))
    path = folder / "status.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"state": "running"}))
    run = Run(folder)
    updated = read_status(run).updated
    assert read_status(run, now=updated + 1).state == "running"
    assert read_status(run, now=updated + 1000).state == "interrupted"


def test_the_probe_measures_each_variant_alone(workspace: Path) -> None:
    run = prepare_run(load_workspace(workspace), Choice(tasks=("reply",), limit=4, settings={"probe": True}))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    probe = run.read_json("probe")
    assert probe["settings"]["repeats"] == 5
    counts = {v: sum(r["variant"] == v for r in probe["repeats"]) for v in run.spec.models.variants}
    assert set(counts.values()) == {5 * probe["settings"]["prompts"]}
    assert all(0 < r["seconds_to_first_token"] <= r["seconds"] and r["peak_bytes"] > 0 for r in probe["repeats"])


def test_what_memory_decided_is_not_found_by_other_runs(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        without_room_for_answers(patched)
        first = prepare_run(load_workspace(workspace), Choice(adapters=(), tasks=("reply",), limit=2))
        assert worker.main(["evaluate", str(first.folder)]) == 0
    second = prepare_run(load_workspace(workspace), Choice(adapters=(), tasks=("reply",), limit=2))
    assert worker.main(["evaluate", str(second.folder)]) == 0
    assert second.evidence(columns=["reason"])["reason"].null_count == second.evidence().num_rows


def test_a_write_that_was_killed_leaves_no_trace(workspace: Path, finished: Run) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="whole"))
    litter = run.folder / "parts" / "baseline" / ".00001.parquet-killed"
    litter.parent.mkdir(parents=True)
    litter.write_bytes(b"half")
    assert worker.main(["evaluate", str(run.folder)]) == 0
    assert not (run.folder / "parts").exists()
    assert evidence(run) == evidence(finished)


def test_the_folder_that_one_stands_in_is_not_imported_from(workspace: Path) -> None:
    (workspace / "core").mkdir()
    (workspace / "core" / "__init__.py").write_text("raise SystemExit('shadowed')")
    (workspace / "tokenizers.py").write_text("raise SystemExit('shadowed')")
    run = prepare_run(load_workspace(workspace), Choice(adapters=(), tasks=("colour",), limit=2))
    code = (
        "from pathlib import Path; from core.jobs import launch; from core.store import Run; "
        f"launch.start(Run(Path({str(run.folder)!r})))"
    )
    subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=workspace, env=os.environ | {"PYTHONPATH": import_path()}, check=True
    )
    deadline = time.time() + 60
    while time.time() < deadline and read_status(run).active:
        time.sleep(0.05)
    assert read_status(run).state == "finished"


def test_cancelling_a_finished_run_changes_nothing(finished: Run) -> None:
    launch.cancel(finished)
    assert read_status(finished).state == "finished"
