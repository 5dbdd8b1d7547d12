"""A run of which everything is in the cache is over before anything heavy could have been loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.jobs.status import read_status
from core.paths import import_path
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace

pytestmark = pytest.mark.model
HEAVY = (
    "torch", "transformers", "peft", "accelerate", "httpx", "anyio", "pandas", "scipy", "sklearn", "duckdb", "pyarrow.dataset",
    "streamlit", "plotly",
)  # fmt: skip


def test_a_run_from_the_cache_loads_nothing_heavy(finished: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished.folder.parent.parent, tmp_path / "w"))
    run = prepare_run(load_workspace(folder), Choice(name="again"))
    script = (
        "import sys; from core.jobs.worker import main\n"
        f"code = main(['evaluate', {str(run.folder)!r}])\n"
        f"print(code, sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], env=os.environ | {"PYTHONPATH": import_path()}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "0 []"
    assert read_status(run).reused == read_status(run).total > 0
    for name in ("evidence.parquet", "examples.parquet"):
        assert (run.folder / name).read_bytes() == (finished.folder / name).read_bytes()
