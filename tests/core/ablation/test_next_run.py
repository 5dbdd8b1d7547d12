"""What to train next: seeds, the next doubling, what was tried only beside other changes; each with the examples it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.ablation.analyse import analyse
from core.ablation.records import BaseTable
from core.stats.power import sample_size
from tests.core.ablation.made import answers, sweep

N = 200
DIFFICULTY = np.random.default_rng(6).uniform(size=N)


def table(
    folder: Path, recipes: dict[str, dict[str, Any]], shares: tuple[float, ...]
) -> tuple[BaseTable, dict[str, np.ndarray]]:
    right = answers(np.random.default_rng(8), recipes, shares, DIFFICULTY)
    run, workspace = sweep(folder, recipes, right)
    (found,) = analyse(run, workspace, reference="b").tables
    return found, right


def test_a_doubling_is_named_with_what_is_tied_to_it(tmp_path: Path) -> None:
    found, _ = table(tmp_path / "w", {"a": {"rank": 2}, "b": {"rank": 8}, "c": {"rank": 32}}, (0.2, 0.45, 0.7))
    first = found.next_runs[0]
    assert first.what == "Train with rank 64, alpha 128, the rest as c." and first.changes == {
        "rank": "64",
        "alpha": "128",
    }
    assert "Accuracy was still getting better from b to c: +" in first.why and first.score > 0.9


@pytest.mark.parametrize("shares", [(0.7, 0.45, 0.2), (0.2, 0.7, 0.65)])
def test_there_is_no_doubling_where_it_stopped_getting_better(tmp_path: Path, shares: tuple[float, ...]) -> None:
    found, _ = table(tmp_path / "w", {"a": {"rank": 2}, "b": {"rank": 8}, "c": {"rank": 32}}, shares)
    assert found.next_runs and not any("rank 64" in one.what for one in found.next_runs)


def test_seeds_are_counted_and_their_unknown_spread_is_said(tmp_path: Path) -> None:
    found, right = table(tmp_path / "w", {"a": {"rank": 2}, "b": {"rank": 8}}, (0.3, 0.6))
    (only,) = found.next_runs
    assert only.what == "Train b with 2 more seeds and a with 2 more seeds." and only.score == 0.5 / 4
    assert "how much seeds vary is not known yet" in only.why
    gaps = right["a"].astype(float) - right["b"]
    assert only.n_examples == pytest.approx(sample_size(float(gaps.var()), float(gaps.mean())), rel=0.1)


def test_a_level_tried_only_beside_another_change_is_named(tmp_path: Path) -> None:
    recipes = {
        "a": {"rank": 2, "learning_rate": 1e-4},
        "b": {"rank": 8, "learning_rate": 1e-4},
        "c": {"rank": 32, "learning_rate": 3e-4},
    }
    found, _ = table(tmp_path / "w", recipes, (0.4, 0.5, 0.6))
    said = {one.what: one for one in found.next_runs}
    one = said["Train with rank + alpha 32 + 64, the rest as b."]
    assert "tried only beside other changes (in c)" in one.why and one.n_examples is None and one.n_now == N
    assert "Train with learning rate 0.0003, the rest as b." in said
