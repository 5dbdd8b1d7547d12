"""A run's folder says how its adapters were trained where their own folders are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from core.ablation.analyse import analyse
from core.ablation.gather import keep_choices
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.core.ablation.made import answers, sweep
from tests.synthetic import make_workspace

DIFFICULTY = np.random.default_rng(2).uniform(size=60)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    right = answers(np.random.default_rng(1), "abc", (0.3, 0.6, 0.6), DIFFICULTY)
    recipes = {
        "a": {"rank": 2, "seed": 0},
        "b": {"rank": 8, "lora_rank": 9},
        "c": {"rank": 8, "config": {"use_rslora": True}},
    }
    run, workspace = sweep(tmp_path / "w", recipes, right)
    keep_choices(run, workspace)
    return run


def test_a_run_that_was_copied_away_gives_the_same_analysis(run: Run, tmp_path: Path) -> None:
    whole = analyse(run, load_workspace(tmp_path / "w"))
    copied = Path(shutil.copytree(run.folder, tmp_path / "elsewhere" / "mini"))
    alone = load_workspace(copied)
    again = analyse(alone.run("mini"), alone)
    assert again == whole and again.left_out == ()
    rows = {row.variant: row for row in again.tables[0].rows}
    assert [name for name, row in rows.items() if row.cells["r"].conflict] == ["b"]
    assert rows["a"].cells["use_rslora"].value is False and rows["c"].cells["use_rslora"].value is True


def test_what_files_and_the_user_say_now_comes_before_what_was_noted(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    shutil.rmtree(folder / "adapters/a")
    text = (folder / "workspace.yaml").read_text(encoding="utf-8")
    (folder / "workspace.yaml").write_text(text + "\nfactors: {a: {seed: 5}}\n", encoding="utf-8")
    (folder / "adapters/c/adapter_config.json").unlink()
    analysis = analyse(run, load_workspace(folder))
    rows = {row.variant: row for row in analysis.tables[0].rows}
    assert set(rows) == {"a", "b"} and rows["a"].seed == 5 and rows["a"].cells["seed"].source == "your override"
    assert [one.variant for one in analysis.left_out] == ["c"], "a folder that is there and broken is said to be broken"


def test_a_damaged_note_is_no_note(run: Run, tmp_path: Path) -> None:
    (run.folder / "adapters.json").write_text('{"a": {"variant": 3}}')
    assert analyse(run, None).tables == ()
    (run.folder / "adapters.json").write_text("{")
    assert {one.variant for one in analyse(run, None).left_out} == {"a", "b", "c"}


def test_a_new_run_notes_its_adapters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_workspace(tmp_path / "w", n=6, runs=False)
    monkeypatch.setattr("core.prepare.check_models", lambda *_: None)
    monkeypatch.setattr("core.prepare.check_workspace_heads", lambda *_: None)
    shutil.copytree(Path(__file__).parents[3] / "sample_data/adapters/qv-r2", folder / "adapters/qv-r2")
    made = prepare_run(load_workspace(folder), Choice(adapters=("qv-r2", "qv-r8"), tasks=("category",)))
    assert list(made.read_json("adapters")) == ["qv-r2"], "the other has no folder"
