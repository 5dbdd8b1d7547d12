"""A disk that really fills in the middle of a run: it is said, nothing is lost, and the run goes on once there is room."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.jobs.status import read_status
from core.store import Run
from tests.core.jobs.killing import run_worker

DISK_BYTES = 1 << 20
BLOCK = 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte where the runs of a workspace are kept."""
    folder = tmp_path / "w" / "runs"
    folder.mkdir(parents=True)
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode != 0:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def filled_in_the_middle(small: Path, workspace: Path) -> Run:
    """Return a run whose worker stopped on a full disk after some of its parts; how much room that takes is found by trying."""
    disk = workspace / "runs"
    for blocks in range(6, 60, 3):
        for old in (disk / "run", workspace / ".lorascope"):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(small, workspace, dirs_exist_ok=True)
        run, filler = Run(disk / "run"), disk / "filler"
        (run.folder / "log.txt").write_text("started\n")  # its block has room for the last words
        filler.unlink(missing_ok=True)
        filler.write_bytes(bytes(shutil.disk_usage(disk).free - blocks * BLOCK))
        code, _ = run_worker(run.folder)
        if code == 1 and list(run.folder.glob("parts/*/*.parquet")):
            return run
        assert code == 1, "the run ended on a disk of too few blocks for one part"
    raise AssertionError("no part was ever written")


def test_a_disk_that_fills_is_said_and_the_run_ends_with_the_same_bytes(
    small: Path, whole: tuple[Run, int], disk: Path
) -> None:
    run = filled_in_the_middle(small, disk.parent)
    assert "the disk is full. Free some space and resume." in (run.folder / "log.txt").read_text()
    kept = list(run.folder.glob("parts/*/*.parquet"))
    assert not (run.folder / "evidence.parquet").exists()
    assert read_status(run, now=2e10).state in ("failed", "interrupted")  # on a full disk the status may not fit either
    assert not list(run.folder.rglob(".*-*")), "what did not fit is taken away again"

    (disk / "filler").unlink()
    assert run_worker(run.folder)[0] == 0
    status = read_status(run)
    assert status.state == "finished"
    assert status.reused >= len(kept)
    assert (run.folder / "evidence.parquet").read_bytes() == (whole[0].folder / "evidence.parquet").read_bytes()
