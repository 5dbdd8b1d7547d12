"""The whole dashboard without a browser: no exception on any page, no torch in the process, caches that notice change."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from core.records import Evidence, Generation
from core.store import evidence_table, write_table
from tests.synthetic import make_run, make_workspace

ROOT = Path(__file__).parents[2]

_PROGRAM = """
import sys
import tomllib
from streamlit.testing.v1 import AppTest
app = AppTest.from_file({app!r}, default_timeout=60).run()
assert not app.exception, app.exception
from dashboard.parts.navigation import pages
for name in pages():
    source = f"from dashboard.views.{{name}} import show\\nfrom dashboard.parts.navigation import pages\\nshow()"
    page = AppTest.from_string(source, default_timeout=60).run()
    assert not page.exception, (name, page.exception)
forbidden = {{"torch", "transformers", "peft", "accelerate", "evaluate"}} & set(sys.modules)
assert not forbidden, forbidden
print("pages:", *pages())
"""


@pytest.mark.parametrize("state", ["full", "empty", "none"])
def test_every_page_draws_and_none_imports_torch(tmp_path: Path, state: str) -> None:
    workspace = tmp_path / "workspace"
    if state == "none":
        workspace.mkdir()
    else:
        make_workspace(workspace, n=20, runs=state == "full")
    program = _PROGRAM.format(app=str(ROOT / "dashboard" / "app.py"))
    environment = os.environ | {"LORASCOPE_WORKSPACE": str(workspace), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip().splitlines()[-1].startswith("pages: overview")


def test_a_comparison_is_made_again_when_evidence_was_added(tmp_path: Path) -> None:
    from dashboard import cache

    run = make_run(tmp_path / "going-on", n=20, tasks=("category",), state="running", parts_done=0.0)
    before = cache.comparison(run, "baseline", None)
    assert before.rows[0].values["baseline"].n == 0
    other = make_run(tmp_path / "finished", n=20, tasks=("category",))
    write_table(run.part_path("baseline", 0), other.evidence(variant="baseline"))
    after = cache.comparison(run, "baseline", None)
    assert after.rows[0].values["baseline"].n == 20
    assert cache.comparison(run, "baseline", None) is after


def test_a_slice_keeps_its_examples_alone(tmp_path: Path) -> None:
    from dashboard import cache

    run = make_run(tmp_path / "run", n=20, tasks=("category", "reply"))
    assert "language=zh" in cache.slices(run) and "hard=true" in cache.slices(run)
    chinese = {example.id for example in run.examples if example.language == "zh"}
    assert set(cache.scores(run, "category", "accuracy", "language=zh").index) == chinese
    assert set(cache.scores(run, "category", "accuracy", None, "zh").index) == chinese
    assert cache.comparison(run, "baseline", "language=zh").row("category/accuracy").values["baseline"].n == len(
        chinese
    )


def test_the_state_of_evidence_survives_files_that_vanish(tmp_path: Path) -> None:
    from dashboard import cache

    run = make_run(tmp_path / "run", n=4, tasks=("reply",), state="running", parts_done=0.0)
    empty = cache.evidence_state(run)
    piece = Evidence("reply", "baseline", "eval-001", generation=Generation("x", "eos", 1, (1,), (0.0,)))
    write_table(run.part_path("baseline", 0), evidence_table([piece]))
    assert cache.evidence_state(run)[0] == empty[0] + 1


def test_an_error_of_ours_shows_its_kind_and_no_traceback() -> None:
    settings = tomllib.loads((ROOT / "dashboard" / ".streamlit" / "config.toml").read_text())
    assert settings["client"]["showErrorDetails"] == "type"
