"""Planted sweeps: what was put in is found, what was not is not said, and three seeds make it a statement about the choice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.ablation.analyse import analyse
from core.ablation.records import Analysis
from tests.core.ablation.made import answers, hits, sweep

N = 240
DIFFICULTY = np.random.default_rng(5).uniform(size=N)


def grid(
    folder: Path, skill: dict[tuple[int, float], float], seeds: int = 3, seed_sd: float = 0.0, stated: bool = True
) -> Analysis:
    """Return the analysis of a sweep over (rank, learning rate) with some seeds each, of the skills given."""
    rng = np.random.default_rng(11)
    recipes, right = {}, {}
    for (rank, rate), share in skill.items():
        shares = (share + seed_sd * rng.normal(size=seeds)).tolist()
        for seed, one in enumerate(hits(rng, shares, DIFFICULTY)):
            name = f"r{rank}-{rate:g}-s{seed}"
            recipes[name] = {"rank": rank, "learning_rate": rate, **({"seed": seed} if stated else {})}
            right[name] = one
    run, workspace = sweep(folder, recipes, right)
    return analyse(run, workspace)


def test_a_planted_effect_of_rank_is_a_statement_about_rank(tmp_path: Path) -> None:
    (table,) = grid(tmp_path / "w", {(2, 1e-4): 0.35, (8, 1e-4): 0.62, (32, 1e-4): 0.63}).tables
    assert [factor.label for factor in table.factors] == ["rank + alpha"]
    found = {(pair.a, pair.b): pair for pair in table.one_factor}
    low = found["r2-0.0001-s0", "r8-0.0001-s0"]
    assert low.kind == "factor" and low.n_seeds_a == low.n_seeds_b == 3 and len(low.variants_a) == 3
    assert low.verdict == "better" and low.low is not None and low.low < 0.27 < (low.high or 0)
    assert (
        "rank + alpha: 8 + 16 against 2 + 4 changes Accuracy by +" in low.statement
        and "over 3 seeds a level" in low.statement
    )
    assert table.statements[0].kind == "factor" and "rank + alpha" in table.statements[0].text
    (trend,) = table.trends
    assert trend.kind == "factor" and trend.slope is not None and trend.slope > 0


def test_seeds_that_vary_are_not_taken_for_a_factor(tmp_path: Path) -> None:
    """The examples alone would tell these adapters apart; what seeds do is as large."""
    (table,) = grid(tmp_path / "w", {(2, 1e-4): 0.5, (8, 1e-4): 0.5}, seed_sd=0.08).tables
    (pair,) = table.one_factor
    assert pair.kind == "factor" and pair.verdict == "unclear" and "cannot be told apart" in pair.statement
    assert table.statements[0].kind == "unclear"
    deviation = table.configurations[0].summary.seed_deviation
    assert deviation is not None and deviation > 0.04


def test_two_seeds_are_dots_and_one_is_the_examples_alone(tmp_path: Path) -> None:
    (table,) = grid(tmp_path / "w", {(2, 1e-4): 0.4, (8, 1e-4): 0.6}, seeds=2).tables
    summary = table.configurations[0].summary
    assert (summary.low, summary.high, summary.spread, len(summary.dots)) == (None, None, "two seeds", 2)
    (pair,) = table.one_factor
    assert pair.kind == "adapters" and pair.variants_a == ("r2-0.0001-s0",) and pair.variants_b == ("r8-0.0001-s0",)
    assert "The 2 adapters of r2-0.0001-s0 reach" in pair.seed_note


def test_a_full_grid_has_interactions_variance_and_importance(tmp_path: Path) -> None:
    skill = {(r, lr): 0.3 + (0.25 if r == 8 else 0.0) for r in (2, 8) for lr in (1e-4, 3e-4)}
    (table,) = grid(tmp_path / "w", skill).tables
    assert [factor.label for factor in table.factors] == ["rank + alpha", "learning rate"]
    (interaction,) = table.interactions
    assert (
        interaction.can_tell
        and interaction.note == ""
        and [cell.summary.n_runs for cell in interaction.cells] == [3, 3, 3, 3]
    )
    effect = table.main_effects[0]
    assert [summary.n_runs for _, summary in effect.levels] == [6, 6] and effect.matched
    assert effect.others == "averaged over 2 combinations of the other choices"
    rows = {row.label: row for row in table.anova.rows}
    assert (
        set(rows) == {"rank + alpha", "learning rate", "rank + alpha x learning rate"}
        and table.anova.residual_degrees == 8
    )
    assert rows["rank + alpha"].p < 0.01 < rows["learning rate"].p
    assert [(bar.label, bar.outside) for bar in table.importance.bars] == [
        ("rank + alpha", True),
        ("learning rate", False),
    ]
    assert {pair.factor_label for pair in table.one_factor if pair.verdict == "better"} == {"rank + alpha"}


def test_what_two_runs_saw_of_the_same_examples_is_one_sweep(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    first = answers(rng, "ab", (0.3, 0.6), DIFFICULTY)
    run, workspace = sweep(tmp_path / "w", {"a": {"rank": 2}, "b": {"rank": 8}}, first)
    second = {"c": hits(rng, (0.6,), DIFFICULTY)[0]}
    other, _ = sweep(tmp_path / "v", {"c": {"rank": 4}}, second)
    (tmp_path / "v" / "adapters" / "c").rename(tmp_path / "w" / "adapters" / "c")
    analysis = analyse([run, other], workspace)
    assert analysis.variants == ("baseline", "a", "b", "c") and len(analysis.tables[0].rows) == 3
    assert len(analysis.tables[0].trends) == 1


@pytest.mark.parametrize(("stated", "n_seeds"), [({}, 3), ({"seed": 42}, 1)])
def test_the_same_stated_seed_is_no_seed_more(tmp_path: Path, stated: dict[str, int], n_seeds: int) -> None:
    rng = np.random.default_rng(3)
    names = ("a", "b", "c")
    right = answers(rng, names, (0.5,) * 3, DIFFICULTY)
    run, workspace = sweep(
        tmp_path / "w", {name: {"rank": 8, "learning_rate": 1e-4, **stated} for name in names}, right
    )
    (table,) = analyse(run, workspace).tables
    (one,) = table.configurations
    assert one.variants == names and one.n_seeds == n_seeds and not one.seeds_stated
    assert one.summary.spread == ("seeds" if n_seeds == 3 else "one seed")
