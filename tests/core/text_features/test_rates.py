"""Rates of text features and their paired differences, against scipy, statsmodels and a table on paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from core.example_texts import read_table
from core.records import BASELINE, Example
from core.store import Run
from core.text_features import (
    answer_rows,
    as_comparison,
    cell_counts,
    feature_from,
    feature_hits,
    feature_rows,
    in_cell,
)
from core.text_features.rates import DESCRIBED, FeatureRate
from tests.core.mini import said, spec, task, write

FEATURE = feature_from("contains", "sorry")
BOTH, ONLY, ONLY_BASE, NEITHER = 6, 14, 3, 17


def run_of(folder: Path, group: str | None = None) -> Run:
    """Write 40 examples: 6 with both, 14 with lora's alone, 3 with the baseline's alone, 17 with neither."""
    ours = [1] * (BOTH + ONLY) + [0] * (ONLY_BASE + NEITHER)
    theirs = [1] * BOTH + [0] * ONLY + [1] * ONLY_BASE + [0] * NEITHER
    words = ("fine", "sorry")
    evidence = [said("reply", "lora", number, words[hit]) for number, hit in enumerate(ours)]
    evidence += [said("reply", BASELINE, number, words[hit]) for number, hit in enumerate(theirs)]
    examples = [
        Example("reply", f"e{number:03d}", "prompt", {}, "reference", group=group and f"{group}{number // 2}")
        for number in range(len(ours))
    ]
    return write(folder, spec({"reply": task("generation")}), examples, evidence)


def row_of(run: Run, positions: np.ndarray | None = None, **more: bool):  # noqa: ANN201
    hits = feature_hits(run, "reply", FEATURE, answer_rows(run, "reply", read_table(run, "reply").ids))
    return feature_rows(
        run, "reply", {FEATURE: hits}, BASELINE, np.arange(40) if positions is None else positions, **more
    )[0]


def test_it_is_mid_p_tango_and_wilson(tmp_path: Path) -> None:
    from statsmodels.stats.proportion import proportion_confint

    row = row_of(run_of(tmp_path / "run"))
    value, found = row.values["lora"], row.differences["lora"]
    assert value.value == pytest.approx(20 / 40)
    assert (value.low, value.high) == pytest.approx(proportion_confint(20, 40, method="wilson"))
    assert found.difference == pytest.approx((ONLY - ONLY_BASE) / 40)
    mid_p = 2 * binom.cdf(ONLY_BASE, ONLY + ONLY_BASE, 0.5) - binom.pmf(ONLY_BASE, ONLY + ONLY_BASE, 0.5)
    assert found.p == pytest.approx(mid_p)
    assert found.p_adjusted == pytest.approx(mid_p), "the only variant is all of the family"
    assert found.method == "mid-p McNemar, Tango interval"
    for bound in (found.low, found.high):
        assert bound is not None
        assert tango_statistic(bound) == pytest.approx(1.959964, abs=1e-4)


def tango_statistic(delta: float) -> float:
    """Return |z| of Tango's score test of rate(lora) - rate(baseline) = delta, by a grid over the nuisance rate."""
    n = BOTH + ONLY + ONLY_BASE + NEITHER
    b, c, rest = ONLY, ONLY_BASE, BOTH + NEITHER
    rates = np.linspace(max(0.0, -delta) + 1e-9, (1 - delta) / 2 - 1e-9, 400_001)
    likelihood = b * np.log(rates + delta) + c * np.log(rates) + rest * np.log(1 - delta - 2 * rates)
    best = rates[np.nanargmax(likelihood)]
    return abs(b - c - n * delta) / np.sqrt(n * (2 * best + delta - delta**2))


def test_examples_with_groups_are_told_apart_by_cluster(tmp_path: Path) -> None:
    plain, grouped = row_of(run_of(tmp_path / "plain")), row_of(run_of(tmp_path / "grouped", "customer"))
    ours, theirs = grouped.differences["lora"], plain.differences["lora"]
    assert ours.difference == theirs.difference
    assert ours.method != theirs.method
    assert "McNemar" not in ours.method


def test_neither_more_nor_less_of_a_feature_is_better(tmp_path: Path) -> None:
    found = row_of(run_of(tmp_path / "run")).differences["lora"]
    assert found.p is not None
    assert found.p < 0.05
    assert found.verdict == "none"


def test_examples_that_were_chosen_by_their_answers_are_described_and_not_tested(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    found = row_of(run, np.arange(20), tested=False).differences["lora"]
    assert found.difference == pytest.approx(ONLY / 20)
    assert (found.low, found.high, found.p, found.p_adjusted, found.reason) == (None, None, None, None, DESCRIBED)


def test_the_order_of_the_list_does_not_move_a_number(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", "customer")
    assert row_of(run, np.arange(40)[::-1]) == row_of(run)


def test_a_row_is_a_comparison_for_tables(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    made = as_comparison(run, BASELINE, row_of(run))
    assert (made.reference, made.variants, made.rows[0].label) == (BASELINE, (BASELINE, "lora"), "contains 'sorry'")


def test_it_cannot_be_taken_for_a_metric_of_predictions() -> None:
    with pytest.raises(TypeError, match="counted from the run's texts"):
        FeatureRate().statistics(None)  # type: ignore[arg-type]


def test_the_cells_are_those_of_the_paired_table(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    hits = feature_hits(run, "reply", FEATURE, answer_rows(run, "reply", read_table(run, "reply").ids))
    expected = {"both": BOTH, "variant": ONLY, "reference": ONLY_BASE, "neither": NEITHER}
    assert cell_counts(hits, np.arange(40), "lora", BASELINE) == expected
    assert np.flatnonzero(in_cell(hits, "lora", BASELINE, "reference")).tolist() == [20, 21, 22]
    assert cell_counts(hits, np.arange(20, 23), "lora", BASELINE) == {**dict.fromkeys(expected, 0), "reference": 3}


def test_who_gave_no_answer_is_in_no_cell_and_any_of_several_answers_counts() -> None:
    hits = pd.DataFrame({"a": [0.5, np.nan, 0.0], "b": [0.0, 1.0, 0.0]})
    cells = {cell: in_cell(hits, "a", "b", cell).tolist() for cell in ("both", "variant", "reference", "neither")}
    assert cells == {
        "both": [False] * 3, "variant": [True, False, False], "reference": [False] * 3, "neither": [False, False, True],
    }  # fmt: skip
