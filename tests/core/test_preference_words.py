"""Human preference in a line: a preference is said only where the numbers carry it."""

from __future__ import annotations

from typing import Any

import pytest

from core.charts.human_preference import human_preference_chart, human_preference_table
from core.ratings.analysis.results import Estimate, HumanPreference
from core.wording.human_preference import alpha_text, preference_mark, study_lines
from tests import made_analyses as made


def said(**more: Any) -> HumanPreference:
    fields: dict[str, Any] = {
        "study_id": "s1", "title": "Replies", "mode": "pair", "closed": True, "variant": "qv-r8", "against": "baseline",
        "criterion": "preference", "win_rate": made.number(0.7), "difference": None, "e_value": 3.0, "may_stop": False,
        "alpha": 0.52, "alpha_reason": None, "n_raters": 2, "sentence": "",
    }  # fmt: skip
    return HumanPreference(**(fields | more))


@pytest.mark.parametrize(
    ("more", "mark"),
    [
        ({}, "▲"), ({"win_rate": made.number(0.3)}, "▼"), ({"win_rate": made.number(0.55)}, "?"),
        ({"win_rate": Estimate(0.9, None, None, 3)}, "?"), ({"win_rate": made.none()}, "–"),
        ({"closed": False}, "?"), ({"closed": False, "may_stop": True}, "▲"),
    ],
)  # fmt: skip
def test_a_mark_needs_an_interval_beside_one_half_and_while_open_the_e_value_too(
    more: dict[str, Any], mark: str
) -> None:
    assert preference_mark(said(**more)) == mark


def test_a_study_is_one_line_whatever_it_compares() -> None:
    lines = study_lines([said(), said(variant="all-r8", win_rate=made.number(0.3)), said(study_id="s2", title="Other")])
    assert [study for study, _ in lines] == ["s1", "s2"]
    first = lines[0][1]
    assert first.startswith(
        "Replies: qv-r8 ▲ preferred in 70 % [60, 80] of 60 decisive verdicts; all-r8 ▼ preferred in 30 %"
    )
    assert first.endswith("against baseline (2 raters, alpha 0.52).")
    assert study_lines([]) == []


def test_what_is_missing_is_said() -> None:
    (_, line), *_ = study_lines(
        [said(win_rate=made.none("no decisive verdicts"), alpha=None, alpha_reason="one rater", closed=False)]
    )
    assert "qv-r8: no decisive verdicts" in line and "alpha" not in line and "the study is open" in line
    assert alpha_text(said(alpha=None, alpha_reason="one rater")) == "one rater" and alpha_text(said()) == "0.52"


def test_scores_tell_their_difference_and_several_criteria_are_named() -> None:
    (_, line), *_ = study_lines([said(difference=made.number(0.5)), said(criterion="tone")])
    assert "+0.50 [+0.40, +0.60] levels" in line and "qv-r8 on tone" in line


def test_the_picture_and_the_table_have_a_row_each() -> None:
    found = [said(), said(variant="all-r8", win_rate=made.none())]
    figure = human_preference_chart(found, ("baseline", "qv-r8", "all-r8"))
    assert [trace.x for trace in figure.data] == [(70.0,), (None,)]
    table = human_preference_table(found)
    assert list(table["win_rate_value"]) == [0.7, None] or table["win_rate_value"].isna().tolist() == [False, True]
