"""The models of a finished run, loaded again: with the threads that the run was computed with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.jobs.loading import threads_here
from core.jobs.run_models import RunModels
from core.store import Run

pytestmark = pytest.mark.model


@pytest.mark.parametrize("threads", [1, 2])
def test_they_compute_with_as_many_threads_as_the_run_did(finished: Run, tmp_path: Path, threads: int) -> None:
    from core.engine.device import use_threads

    folder = Path(shutil.copytree(finished.folder.parent.parent, tmp_path / "w")) / "runs" / finished.id
    known = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(known | {"threads": threads}))
    before = threads_here()
    use_threads(3 - threads)
    try:
        RunModels(Run(folder), ("baseline", "lora-0")).session(lambda sentence: None)
        assert threads_here() == threads
    finally:
        use_threads(before)
