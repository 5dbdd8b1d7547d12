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
LEFT_BLOCKS = 14
"""Free when the run begins: room for its environment and its first parts, not for all of them."""


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


def test_a_disk_that_fills_is_said_and_the_run_ends_with_the_same_bytes(
    small: Path, whole: tuple[Run, int], disk: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(small, tmp_path / "w", dirs_exist_ok=True)
    run, filler = Run(disk / "run"), disk / "filler"
    free = shutil.disk_usage(disk).free
    filler.write_bytes(bytes(free - LEFT_BLOCKS * BLOCK))
    assert run_worker(run.folder)[0] == 1
    assert "the disk is full. Free some space and resume." in capfd.readouterr().err
    kept = {path.relative_to(run.folder): path.read_bytes() for path in run.folder.glob("parts/*/*.parquet")}
    assert kept, "it filled before the first part was written"
    assert not (run.folder / "evidence.parquet").exists()
    assert read_status(run, now=2e10).state in (
        "failed",
        "interrupted",
    )  # on a full disk the last word may not fit either
    assert not list(run.folder.rglob(".*-*")), "what did not fit is taken away again"

    filler.unlink()
    assert run_worker(run.folder)[0] == 0
    status = read_status(run)
    assert status.state == "finished"
    assert status.reused >= len(kept)
    assert (run.folder / "evidence.parquet").read_bytes() == (whole[0].folder / "evidence.parquet").read_bytes()
