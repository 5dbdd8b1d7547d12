"""Two kills of a run of the sample model, with adapters that were really trained."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from core.paths import cached_model
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.core.jobs.conftest import copied
from tests.core.jobs.killing import run_worker

SAMPLE = Path(__file__).parents[3] / "sample_data"
SEED = 20261123

pytestmark = [
    pytest.mark.slow,
    pytest.mark.model,
    pytest.mark.skipif(
        not (cached_model("smollm2-135m") / "config.json").is_file(),
        reason="the sample's base is not here; fetch it with: lorascope demo --fetch-only",
    ),
]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample without its runs and its cache, with a short run that is not begun yet."""
    folder = tmp_path_factory.mktemp("sample") / "w"
    shutil.copytree(
        SAMPLE, folder, ignore=shutil.ignore_patterns("runs", ".lorascope", "metrics", "broken", "predictions")
    )
    settings = {"max_new_tokens": 4, "probe": False, "batch_tokens": 128, "device": "cpu"}
    choice = Choice(("qv-r2",), ("category", "reply"), 2, settings, robustness=False, name="run")
    path = folder / "workspace.yaml"
    path.write_text(path.read_text().replace(", politeness]", "]"))
    prepare_run(load_workspace(folder), choice)
    return folder


def test_killed_at_two_random_moments_it_ends_with_the_same_bytes(sample: Path, tmp_path: Path) -> None:
    expected = copied(sample, tmp_path / "whole")
    code, calls = run_worker(expected.folder, counted=True)
    assert code == 0
    assert calls is not None
    drawn = random.Random(SEED)
    moments = sorted(drawn.randrange(1, calls) for _ in range(2))
    print(f"seed {SEED}: killed at calls {moments} of {calls:,}")
    run = copied(sample, tmp_path / "killed")
    for calls_before_the_kill in (moments[0], moments[1] - moments[0]):
        assert run_worker(run.folder, calls_before_the_kill) == (-9, None)
    assert run_worker(run.folder)[0] == 0
    assert Run(run.folder).evidence().num_rows == expected.evidence().num_rows > 0
    assert (run.folder / "evidence.parquet").read_bytes() == (expected.folder / "evidence.parquet").read_bytes()
