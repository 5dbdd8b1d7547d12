"""Analysis of variance against statsmodels, and importance that stays within its band on noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.ablation.choices import plain_cell
from core.ablation.design import Design, design_of
from core.ablation.variance import Term, anova, importance, inflation

COUNTS = {("2", "qv"): 3, ("2", "all"): 2, ("8", "qv"): 4, ("8", "all"): 3, ("32", "qv"): 2}
"""Runs of each combination: not balanced, and one was not tried."""


def unbalanced() -> tuple[Design, pd.DataFrame]:
    rng = np.random.default_rng(2)
    rows = [(r, m) for (r, m), count in COUNTS.items() for _ in range(count)]
    frame = pd.DataFrame(rows, columns=["rank", "modules"])
    frame["y"] = frame["rank"].astype(float) / 32 + rng.normal(scale=0.3, size=len(frame))
    frame.index = pd.Index([f"v{k}" for k in range(len(frame))])
    cells = {
        f"v{k}": {"r": plain_cell(int(rank), "file"), "target_modules": plain_cell(modules, "file")}
        for k, (rank, modules) in enumerate(rows)
    }
    return design_of(cells), frame


def outcome(frame: pd.DataFrame) -> dict[str, float]:
    return {str(name): float(value) for name, value in frame["y"].items()}


def noise(runs: int, factors: int, seed: int) -> tuple[Design, dict[str, float]]:
    rng = np.random.default_rng(seed)
    names = [f"factor{k}" for k in range(factors)]
    levels = rng.permuted(np.tile(np.arange(2), (factors, runs // 2)), axis=1)
    cells = {
        f"v{k}": {name: plain_cell(int(levels[i, k]), "file") for i, name in enumerate(names)} for k in range(runs)
    }
    return design_of(cells), {f"v{k}": float(x) for k, x in enumerate(rng.normal(size=runs))}


def test_the_table_is_that_of_statsmodels() -> None:
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    design, frame = unbalanced()
    found = anova(design, outcome(frame))
    assert [row.label for row in found.rows] == ["rank", "target modules"], "no interaction: a cell is empty"
    referee = anova_lm(ols("y ~ C(rank) + C(modules)", frame).fit(), typ=2)
    for row, name in zip(found.rows, ("C(rank)", "C(modules)"), strict=True):
        told = referee.loc[name]
        assert (row.degrees, row.sum_of_squares, row.f, row.p) == pytest.approx(
            tuple(told[["df", "sum_sq", "F", "PR(>F)"]])
        )
    assert found.residual_degrees == referee.loc["Residual", "df"] and found.reason is None


def test_an_interaction_is_there_where_every_cell_is() -> None:
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    design, frame = unbalanced()
    frame = frame[frame["rank"] != "32"]
    keep = set(frame.index)
    design = design_of({name: cells for name, cells in design.cells.items() if name in keep})
    found = {row.label: row for row in anova(design, outcome(frame)).rows}
    referee = anova_lm(ols("y ~ C(rank, Sum) * C(modules, Sum)", frame).fit(), typ=2)
    assert found["rank x target modules"].sum_of_squares == pytest.approx(
        referee.loc["C(rank, Sum):C(modules, Sum)", "sum_sq"]
    )
    assert found["rank"].sum_of_squares == pytest.approx(referee.loc["C(rank, Sum)", "sum_sq"])


def test_inflation_of_one_column_is_the_usual_factor() -> None:
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    x = np.random.default_rng(4).normal(size=(20, 3))
    x[:, 1] += 2 * x[:, 0]
    terms = [Term(frozenset({k}), x[:, [k]]) for k in range(3)]
    whole = np.column_stack([np.ones(20), x])
    assert [inflation(terms, term) for term in terms] == pytest.approx(
        [variance_inflation_factor(whole, k) for k in (1, 2, 3)]
    )


def test_entangled_choices_are_warned_of() -> None:
    pairs = [(0, 0)] * 9 + [(1, 1)] * 9 + [(0, 1)] + [(1, 0)]
    cells = {f"v{k}": {"a": plain_cell(a, "file"), "b": plain_cell(b, "file")} for k, (a, b) in enumerate(pairs)}
    rng = np.random.default_rng(0)
    close = anova(design_of(cells), {name: float(rng.normal()) for name in cells})
    assert close.warnings == ()
    few = {name: some for name, some in cells.items() if name != "v19"} | {f"w{k}": cells["v0"] for k in range(60)}
    found = anova(design_of(few), {name: float(rng.normal()) for name in few})
    assert (
        len(found.warnings) == 2
        and "a is entangled with the other choices (variance-inflation factor" in found.warnings[0]
    )


def test_choices_that_always_come_together_in_sums_are_not_told_apart() -> None:
    rows = [(0, 0, 0), (0, 1, 1), (1, 0, 1)] * 5  # the third is the sum of the other two
    cells = {
        f"v{k}": {name: plain_cell(x, "file") for name, x in zip("abc", row, strict=True)} for k, row in enumerate(rows)
    }
    found = anova(design_of(cells), {name: float(k) for k, name in enumerate(cells)})
    assert found.rows == () and found.reason is not None and "do not tell the choices apart" in found.reason


def test_on_noise_nothing_stands_outside_its_band_more_often_than_its_level() -> None:
    sweeps = 200
    outside = [
        any(bar.outside for bar in importance(*noise(16, 4, seed), level=0.95, seed=seed).bars)
        for seed in range(sweeps)
    ]
    assert np.mean(outside) <= 0.05 + 2 * (0.05 * 0.95 / sweeps) ** 0.5


def test_a_planted_factor_stands_outside() -> None:
    design, y = noise(16, 4, 1)
    first = design.factors[0]
    y = {name: value + 6 * design.group_of(name).levels[0] for name, value in y.items()}
    bars = importance(design, y, 0.95, 0).bars
    assert bars[0].factor == first.name and bars[0].outside and bars[0].share > bars[0].null_high > bars[0].null_median
    assert not any(bar.outside for bar in bars[1:])


def test_too_few_runs_have_no_importance() -> None:
    found = importance(*noise(10, 4, 0), level=0.95, seed=0)
    assert (
        found.bars == ()
        and found.reason == "10 runs are too few for 4 factors: importance needs 12 runs, or it ranks noise"
    )
