"""What an analysis says of runs and folders that it cannot use, or only in part."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.ablation.analyse import analyse
from core.errors import InputError
from core.store import Run
from core.workspace import Workspace, load_workspace
from tests.core.ablation.made import answers, sweep
from tests.synthetic import make_run

RNG = np.random.default_rng(9)
DIFFICULTY = RNG.uniform(size=60)


def made(folder: Path, **recipes: Any) -> tuple[Run, Workspace]:
    right = answers(np.random.default_rng(1), recipes, [0.5] * len(recipes), DIFFICULTY)
    return sweep(folder, recipes, right)


def test_a_folder_without_config_or_gone_is_left_out_with_the_reason(tmp_path: Path) -> None:
    run, workspace = made(tmp_path / "w", a={"rank": 2}, b={"rank": 8}, c={"rank": 8}, d={"rank": 4})
    (tmp_path / "w/adapters/c/adapter_config.json").unlink()
    shutil.rmtree(tmp_path / "w/adapters/d")
    analysis = analyse(run, workspace)
    reasons = {one.variant: one.reason for one in analysis.left_out}
    assert "found no adapter_config.json, so this is not an adapter as PEFT saves it" in reasons["c"]
    assert "adapters/d: the adapter's folder is not there" in reasons["d"] and "Copy it beside the run" in reasons["d"]
    assert [row.variant for row in analysis.tables[0].rows] == ["a", "b"]
    with pytest.raises(InputError, match="expected one of a, b"):
        analyse(run, workspace, reference="d")


def test_a_broken_log_is_said_at_its_row_and_costs_nothing_else(tmp_path: Path) -> None:
    run, workspace = made(tmp_path / "w", a={"rank": 2}, b={"rank": 8}, c={"rank": 8})
    (tmp_path / "w/adapters/a/trainer_state.json").write_text('{"log_history": [{"loss": 1.0, "step"')
    (tmp_path / "w/adapters/b/trainer_state.json").write_text(
        '{"global_step": 3, "log_history": [{"loss": NaN, "step": 1}]}'
    )
    (table,) = analyse(run, workspace).tables
    warnings = {row.variant: " ".join(row.warnings) for row in table.rows}
    assert "trainer_state.json" in warnings["a"] and "trainer_state.json" in warnings["b"] and warnings["c"] == ""
    assert {row.variant for row in table.rows} == {"a", "b", "c"}


def test_config_and_tensors_that_disagree_are_flagged_at_the_value(tmp_path: Path) -> None:
    run, workspace = made(tmp_path / "w", a={"rank": 2, "config": {"r": 16}}, b={"rank": 8}, c={"rank": 8})
    (table,) = analyse(run, workspace).tables
    row = next(row for row in table.rows if row.variant == "a")
    assert "says r = 16, but the tensors have rank 2" in row.cells["r"].conflict


def test_fewer_than_three_runs(tmp_path: Path) -> None:
    run, workspace = made(tmp_path / "w", a={"rank": 2}, b={"rank": 8})
    (table,) = analyse(run, workspace).tables
    assert table.reason == "2 adapters of this base, and choices are told apart from 3 on"
    assert len(table.one_factor) == 1 and table.one_factor[0].kind == "adapters"
    run, workspace = made(tmp_path / "v", a={"rank": 2})
    (table,) = analyse(run, workspace).tables
    assert table.one_factor == () and table.statements[0].text == (
        "Nothing can be said of single choices: 1 adapter of this base, and choices are told apart from 3 on."
    )
    assert table.next_runs == () and table.importance.reason == "there is no setting that differs"


def test_adapters_that_state_the_same_settings(tmp_path: Path) -> None:
    run, workspace = made(tmp_path / "w", a={"rank": 2}, b={"rank": 2}, c={"rank": 2})
    (table,) = analyse(run, workspace).tables
    assert (
        table.factors == ()
        and table.reason == "the adapters' files state the same settings for all of them, seed aside"
    )
    assert table.configurations[0].n_seeds == 3


def test_adapters_of_two_bases_are_two_tables(tmp_path: Path) -> None:
    other = {"config": {"base_model_name_or_path": "org/another"}}
    run, workspace = made(tmp_path / "w", a={"rank": 2}, b={"rank": 8}, c={"rank": 2, **other}, d={"rank": 8, **other})
    analysis = analyse(run, workspace, reference="d")
    assert [(table.base, [row.variant for row in table.rows]) for table in analysis.tables] == [
        ("made", ["a", "b"]), ("another", ["d", "c"]),
    ]  # fmt: skip
    assert "each base has a table of its own" in analysis.notes[0]


def test_another_method_is_shown_beside_and_leaves_the_ranks_comparable(tmp_path: Path) -> None:
    method = {"config": {"peft_type": "IA3", "r": None, "lora_alpha": None}}
    run, workspace = made(tmp_path / "w", a={"rank": 2}, b={"rank": 4}, c={"rank": 8}, d=method)
    (table,) = analyse(run, workspace).tables
    cells = next(row for row in table.rows if row.variant == "d").cells
    assert cells["peft_type"].text == "IA3" and cells["r"].text == "none"
    assert len(table.trends) == 1 and [point.level.dose for point in table.trends[0].points] == [2, 4, 8]
    assert "d" not in {name for pair in table.one_factor for name in (*pair.variants_a, *pair.variants_b)}


def test_a_copy_is_no_second_seed(tmp_path: Path) -> None:
    run, workspace = made(tmp_path / "w", a={"rank": 2}, b={"rank": 2}, c={"rank": 8})
    (run.folder / "environment.json").write_text(json.dumps({"hashes": {"adapters": {"a": "x", "b": "x", "c": "y"}}}))
    analysis = analyse(run, workspace)
    assert [(one.variant, one.reason) for one in analysis.left_out] == [
        ("b", "the same tensors as a: a copy is not another training")
    ]
    changed = next(row for row in analysis.tables[0].rows if row.variant == "c").warnings
    assert "The tensors in its folder are not those that were evaluated" in changed[0]


def test_names_that_are_not_there(tmp_path: Path) -> None:
    run, workspace = made(tmp_path / "w", a={"rank": 2}, b={"rank": 8})
    with pytest.raises(
        InputError, match=r"metric: found 't/acuracy' \(did you mean 't/accuracy'\?\), expected one of t/accuracy"
    ):
        analyse(run, workspace, metric="t/acuracy")
    with pytest.raises(InputError, match="reference: found 'z', expected one of a, b"):
        analyse(run, workspace, reference="z")
    with pytest.raises(InputError, match="runs: found none"):
        analyse([], workspace)


def test_runs_that_do_not_belong_together(tmp_path: Path) -> None:
    run, workspace = made(tmp_path / "w", a={"rank": 2}, b={"rank": 8})
    right = {"c": np.ones(30, dtype=bool)}
    fewer, _ = sweep(tmp_path / "v", {"c": {"rank": 4}}, right)
    shutil.move(tmp_path / "v/adapters/c", tmp_path / "w/adapters/c")
    with pytest.raises(InputError, match="have different examples of task 't'"):
        analyse([run, fewer], workspace)
    again, _ = made(tmp_path / "u", a={"rank": 4}, b={"rank": 8})
    for folder, told in ((run.folder, "x"), (again.folder, "y")):
        (folder / "environment.json").write_text(json.dumps({"hashes": {"adapters": {"a": told, "b": "z"}}}))
    with pytest.raises(InputError, match="both have a variant 'a', and they are not the same adapter"):
        analyse([run, again], workspace)


def test_what_the_user_states_counts_and_is_checked(tmp_path: Path) -> None:
    right = answers(np.random.default_rng(1), "abc", [0.5] * 3, DIFFICULTY)
    factors = {
        "a": {"seed": 0, "data rows": 100},
        "b": {"seed": 1, "data rows": 100},
        "c": {"seed": 0, "data rows": 400},
    }
    run, workspace = sweep(tmp_path / "w", {name: {"rank": 8} for name in "abc"}, right, factors)
    (table,) = analyse(run, workspace).tables
    assert [factor.label for factor in table.factors] == ["data rows"] and table.configurations[0].seeds_stated
    assert table.rows[0].cells["train_samples"].source == "your override" and table.rows[1].seed == 1
    (pair,) = table.one_factor
    assert (pair.variants_a, pair.variants_b) == (("a",), ("c",)), "of the same seed"
    path = tmp_path / "w/workspace.yaml"
    path.write_text(path.read_text().replace("factors:\n  a:", "factors:\n  adaptr:"))
    with pytest.raises(InputError, match="factors.adaptr: found 'adaptr', expected an adapter: a, b, c"):
        load_workspace(tmp_path / "w")


def test_a_run_copied_away_without_its_adapters_and_a_run_without_any(tmp_path: Path) -> None:
    run, _ = made(tmp_path / "w", a={"rank": 2}, b={"rank": 8})
    analysis = analyse(run, None)
    assert analysis.tables == () and "No adapter of this run has files that say how it was trained." in analysis.notes
    alone = make_run(tmp_path / "runs" / "alone", n=12, variants=("baseline",), tasks=("category",))
    assert analyse(alone, None).tables == ()
