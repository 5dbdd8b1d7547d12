"""The tables of human ratings: plain numbers with their intervals and reasons."""

from __future__ import annotations

from dataclasses import replace

from core.charts.export import to_csv
from core.charts.rating_tables import (
    agreement_table,
    disagreements_table,
    judges_table,
    matrix_table,
    metrics_table,
    pairs_table,
    raters_table,
    reasons_table,
    scores_table,
    strengths_table,
)
from core.ratings.analysis.results import Disagreement, JudgeResult, RaterVerdict
from core.ratings.review import Reason
from tests import made_analyses as made

THREE = ("baseline", "qv-r8", "all-r8")


def test_a_pair_is_a_row_with_bounds_and_reasons() -> None:
    one = replace(
        made.analysis(),
        preferences=(made.preference(("baseline", "qv-r8"), [made.pair(length_controlled=made.none())]),),
    )
    row = pairs_table(one).iloc[0]
    assert (row.variant, row.wins, row.decisive_low, row.decisive_high) == ("qv-r8", 40, 40 / 60 - 0.1, 40 / 60 + 0.1)
    assert row.length_controlled is None and row.length_controlled_reason == "undefined: no variation"


def test_variants_criteria_and_raters_have_a_row_each() -> None:
    one = made.analysis(THREE)
    assert list(strengths_table(one)["variant"]) == ["qv-r8", "all-r8", "baseline"]
    assert set(matrix_table(one)["variant"]) == set(THREE) and "decisive_win_rate_n" in matrix_table(one)
    assert len(strengths_table(made.analysis())) == 0
    assert (
        len(scores_table(made.scored(THREE))) == 6
        and list(scores_table(made.scored())["levels"])[0] == "2; 6; 20; 24; 8"
    )
    raters = raters_table(one)
    assert list(raters["rater"]) == ["Ana", "Ben"] and raters["drift_difference"].notna().all()
    table = agreement_table(one)
    assert {"Krippendorff's alpha (nominal)", "Cohen's kappa", "Fleiss' kappa"} < set(table["statistic"])
    assert "Ana / Ben" in set(table["raters"])
    assert list(metrics_table([made.metric()])["accuracy"]) == [0.7]


def test_what_raters_wrote_is_no_formula_in_a_file() -> None:
    verdicts = (RaterVerdict("=1+1", "qv-r8", "+x"), RaterVerdict("Ben", "baseline", ""))
    item = Disagreement("i", "reply", "e001", "preference", ("baseline", "qv-r8"), verdicts, True)
    table = disagreements_table(replace(made.analysis(), disagreements=(item,)))
    assert len(table) == 2 and "'=1+1" in to_csv(table) and "'+x" in to_csv(table)
    reasons = reasons_table([Reason("skip", "other", 2, 1, ("e1", "e2"))])
    assert list(reasons["example_ids"]) == ["e1; e2"]


def test_a_judge_is_a_row() -> None:
    judge = JudgeResult(
        "judge", "qv-r8", "baseline", made.number(0.6), made.none("no interval"), made.number(0.62), 0.1, 0.8, 40, 100,
        made.number(0.8),
    )  # fmt: skip
    row = judges_table(replace(made.analysis(), judges=(judge,))).iloc[0]
    assert row.corrected == 0.62 and row.judge_alone is None and row.n_judged_alone == 100
