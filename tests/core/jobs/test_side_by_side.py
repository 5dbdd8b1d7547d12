"""Processes side by side: two runs of one workspace, two workers at one run, and evidence that is deleted while a run goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from core.evidence_cache import evidence_folder
from core.evidence_entries import list_entries, remove
from core.jobs import evaluate as job
from core.jobs import worker
from core.jobs.lock import BusyError
from core.jobs.status import read_status
from core.store import Run
from tests.core.jobs.conftest import copied
from tests.core.jobs.killing import WAIT_SECONDS, run_worker, start_worker
from tests.tiny import make_adapter


def second_of(run: Run, name: str = "second") -> Run:
    """Return another run of the same spec in the same workspace."""
    folder = Path(shutil.copytree(run.folder, run.folder.parent / name))
    spec = json.loads((folder / "spec.json").read_text()) | {"id": name}
    (folder / "spec.json").write_text(json.dumps(spec))
    return Run(folder)


def bytes_of(run: Run) -> bytes:
    return (run.folder / "evidence.parquet").read_bytes()


def contents(run: Run) -> dict[Path, bytes]:
    """Return every file of a run but its log."""
    return {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file() and path.name != "log.txt"}


def test_two_runs_of_one_workspace_at_once_end_alike(small: Path, whole: tuple[Run, int], tmp_path: Path) -> None:
    first = copied(small, tmp_path)
    runs = [first, second_of(first)]
    assert [started.ended()[0] for started in [start_worker(run.folder) for run in runs]] == [0, 0]
    assert [bytes_of(run) for run in runs] == [bytes_of(whole[0])] * 2
    parts = len(list_entries(evidence_folder(tmp_path / "w")))
    assert run_worker(second_of(copied(small, tmp_path / "again")).folder)[0] == 0
    assert parts == len(list_entries(evidence_folder(tmp_path / "again" / "w"))), "both kept the same parts, each once"


def test_a_second_worker_at_a_run_is_told_so_and_the_first_is_not_disturbed(
    small: Path, whole: tuple[Run, int], tmp_path: Path
) -> None:
    run = copied(small, tmp_path)
    first = start_worker(run.folder)
    pid, deadline = first.process.pid, time.monotonic() + WAIT_SECONDS
    assert pid is not None
    while read_status(run).pid != pid and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(pid, signal.SIGSTOP)  # so that it is at the run for as long as the second takes
    before = contents(run)
    second, _ = run_worker(run.folder)
    with pytest.raises(BusyError, match=r"another worker is at this run already\. It goes on undisturbed"):
        job.evaluate(run.folder)
    after = contents(run)
    os.kill(pid, signal.SIGCONT)
    assert second == 2
    assert "another worker is at this run already" in (run.folder / "log.txt").read_text()
    assert after == before
    assert first.ended()[0] == 0
    assert read_status(run).state == "finished"
    assert bytes_of(run) == bytes_of(whole[0])


def test_what_is_deleted_while_a_run_goes_on_is_computed_again(
    small: Path, whole: tuple[Run, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = copied(small, tmp_path)
    assert worker.main(["evaluate", str(run.folder)]) == 0
    second, folder = second_of(run), evidence_folder(tmp_path / "w")
    for name in ("evidence.parquet", "environment.json", "status.json"):
        (second.folder / name).unlink()
    parts = len(list_entries(folder))
    write = job.write_table
    written = 0

    def vanishing(path: Path, table: object) -> None:
        nonlocal written
        write(path, table)  # type: ignore[arg-type]
        written += 1
        if written == 1:
            remove(folder, list_entries(folder))

    monkeypatch.setattr(job, "write_table", vanishing)
    assert worker.main(["evaluate", str(second.folder)]) == 0
    assert bytes_of(second) == bytes_of(whole[0])
    status = read_status(second)
    assert 0 < status.reused < status.done == status.total
    assert len(list_entries(folder)) == parts - 1


def test_a_retrained_adapter_of_the_same_size_and_time_is_computed_anew(
    small: Path, whole: tuple[Run, int], tmp_path: Path
) -> None:
    run = copied(small, tmp_path)
    weights = tmp_path / "w" / "adapters" / "lora-0" / "adapter_model.safetensors"
    time.sleep(0.05)  # until the hash of a file that has just been copied is remembered
    assert worker.main(["evaluate", str(run.folder)]) == 0
    second, before = second_of(run), weights.stat()
    for name in ("evidence.parquet", "environment.json", "status.json", "preflight.json"):
        (second.folder / name).unlink()
    trained = make_adapter(tmp_path / "w" / "base", tmp_path / "other", seed=99) / weights.name
    with weights.open("r+b") as file:
        file.write(trained.read_bytes())
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = weights.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    assert worker.main(["evaluate", str(second.folder)]) == 0
    status = read_status(second)
    assert status.reused == status.total // 2, "the baseline alone"
    tables = [one.evidence(task="reply", variant="lora-0")["token_logprobs"].to_pylist() for one in (run, second)]
    assert tables[0] != tables[1]
