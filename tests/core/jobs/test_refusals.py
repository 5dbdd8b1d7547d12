"""What cannot be run is refused before anything is computed, and what cannot be resumed before anything is mixed."""

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

from core.errors import InputError
from core.jobs import evaluate as job
from core.jobs import worker
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run, write_table
from core.workspace import load_workspace
from tests.tiny import make_adapter, make_base


def test_resuming_with_other_weights_is_refused(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="changed"))

    def stop_after_one(path, table):
        if list(run.folder.glob("parts/*/*.parquet")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write_table(path, table)

    monkeypatch.setattr(job, "write_table", stop_after_one)
    assert worker.main(["evaluate", str(run.folder)]) == 1
    monkeypatch.undo()
    assert len(list(run.folder.glob("parts/*/*.parquet"))) == 1
    make_adapter(workspace / "base", workspace / "adapters" / "lora-1", seed=77)
    assert worker.main(["evaluate", str(run.folder)]) == 2
    assert "'lora-1' has changed since this run began" in (read_status(run).error or "")


def test_two_workers_do_not_work_on_one_run(workspace: Path) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="one", tasks=("colour",)))
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


def test_a_faulty_adapter_stays_refused_on_resume(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.engine import session

    monkeypatch.setattr(session, "mean_divergence", lambda *_: 0.0)
    run = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",), tasks=("colour",)))
    for _ in range(2):
        assert worker.main(["evaluate", str(run.folder)]) == 2
        assert "It loaded but does nothing" in (read_status(run).error or "")
    assert run.evidence(variant="lora-0").num_rows == 0


@pytest.mark.parametrize("name", ["..", ".", "/tmp/elsewhere", "a/b", "", "-x"])
def test_a_runs_name_is_no_path(workspace: Path, name: str) -> None:
    with pytest.raises(InputError, match="name: found"):
        prepare_run(load_workspace(workspace), Choice(name=name))
    assert (workspace / "workspace.yaml").is_file()


def test_a_name_that_is_taken_is_said_and_nothing_is_touched(workspace: Path) -> None:
    taken = workspace / "runs" / "mine"
    taken.mkdir(parents=True)
    (taken / "notes.txt").write_text("keep")
    with pytest.raises(InputError, match="there is a folder of this name already"):
        prepare_run(load_workspace(workspace), Choice(name="mine"))
    assert (taken / "notes.txt").read_text() == "keep"


def test_settings_out_of_range_are_said(workspace: Path) -> None:
    with pytest.raises(InputError, match=r"settings\.max_new_tokens: found 40000"):
        prepare_run(load_workspace(workspace), Choice(settings={"max_new_tokens": 40000}))


def test_resuming_with_another_chat_template_is_refused(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepare_run(load_workspace(workspace), Choice(adapters=(), tasks=("colour",)))
    with monkeypatch.context() as patched:
        patched.setattr(job._Evaluation, "_compute", lambda *_: (_ for _ in ()).throw(OSError("stopped here")))
        assert worker.main(["evaluate", str(run.folder)]) == 1
    template = workspace / "base" / "chat_template.jinja"
    template.write_text(template.read_text().replace("assistant", "helper"))
    assert worker.main(["evaluate", str(run.folder)]) == 2
    assert "the tokenizer is no longer the one that this run began with" in (read_status(run).error or "")


def test_another_config_of_the_same_tensors_is_computed_anew(workspace: Path) -> None:
    first = prepare_run(load_workspace(workspace), Choice(adapters=(), tasks=("colour",)))
    assert worker.main(["evaluate", str(first.folder)]) == 0
    path = workspace / "base" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rms_norm_eps": 0.5}))
    second = prepare_run(load_workspace(workspace), Choice(adapters=(), tasks=("colour",)))
    assert worker.main(["evaluate", str(second.folder)]) == 0
    assert read_status(second).reused == 0


def test_a_task_of_which_nothing_can_be_asked_is_said(workspace: Path) -> None:
    config = workspace / "base" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"max_position_embeddings": 4}))
    run = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",), tasks=("colour",)))
    assert worker.main(["evaluate", str(run.folder)]) == 2
    assert "nothing can be asked of this model. The first reason: task colour, example e00: prompt and answer need" in (
        read_status(run).error or ""
    )
