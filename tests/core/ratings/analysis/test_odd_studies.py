"""Studies of which little or nothing can be said: no error, no number made up, and a reason."""

from __future__ import annotations

from typing import Any

import pytest

from core.ratings import STANDARD_CRITERIA, RatingStore, join, skip
from core.ratings.analysis import StudyAnalysis, analyse
from tests.core.ratings.studies import answer, make_study, shown

MODES: dict[str, dict[str, Any]] = {
    "pair": {}, "graded": {"graded": True}, "score": {"mode": "score"}, "rank": {"mode": "rank", "adapters": ("a", "b")},
    "three": {"adapters": ("a", "b")}, "criteria": {"criteria": STANDARD_CRITERIA[:2]}, "identical": {"identical": range(1, 12)},
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("error")


def _analysed(lite: RatingStore, tmp_path: Any, mode: str, value: Any = None, n: int = 7) -> StudyAnalysis:
    study = make_study(lite, tmp_path, **MODES[mode])
    ana = join(study, "Ana")
    for _ in range(n):
        item = shown(study, ana)
        if value == "skip":
            skip(study, ana, item, "other")
        else:
            answer(study, ana, item, value)
    return analyse(study, runs=[], resamples=100)


@pytest.mark.parametrize("mode", MODES)
def test_nobody_rated(lite: RatingStore, tmp_path: Any, mode: str) -> None:
    found = _analysed(lite, tmp_path, mode, n=0)
    assert found.headline == "Nobody has rated an item of this study yet." and found.counts.n_answers == 0
    assert found.disagreements == () and found.quality.raters == () and found.agreement[0].alpha.alpha.value is None
    for one in (pair for preference in found.preferences for pair in preference.pairs):
        assert (one.decisive.value, one.e_value, one.may_stop, one.sign_mid_p) == (None, 1.0, False, None)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "identical"])
def test_skips_alone(lite: RatingStore, tmp_path: Any, mode: str) -> None:
    found = _analysed(lite, tmp_path, mode, "skip")
    assert (
        found.headline == "Nothing can be said yet: all 7 answers so far skipped the item."
        and found.counts.n_skipped == 7
    )


@pytest.mark.parametrize("mode", MODES)
def test_one_answer_of_one_rater(lite: RatingStore, tmp_path: Any, mode: str) -> None:
    found = _analysed(lite, tmp_path, mode, n=1)
    assert (
        found.counts.n_answers == 1 and found.agreement[0].raw.value is None and not found.headline.startswith("Nobody")
    )


@pytest.mark.parametrize(
    ("mode", "value"), [("pair", "tie"), ("pair", "both_bad"), ("three", "tie"), ("graded", 0), ("rank", [1, 1, 1])]
)
def test_all_ties(lite: RatingStore, tmp_path: Any, mode: str, value: Any) -> None:
    found = _analysed(lite, tmp_path, mode, value)
    (preference,) = found.preferences
    assert all(pair.decisive.value is None and not pair.may_stop for pair in preference.pairs)
    assert found.quality.left.value is None and (
        "decisive" in found.headline or "every comparison is a tie" in found.headline
    )
    if preference.strengths is not None:
        assert preference.strengths.reason == "undefined: every comparison is a tie"


def test_identical_items_are_counted_apart(lite: RatingStore, tmp_path: Any) -> None:
    found = _analysed(lite, tmp_path, "identical", "left", n=1)
    assert (found.counts.n_items, found.counts.n_identical) == (1, 11)
    (pair,) = found.preferences[0].pairs
    assert (pair.n_identical, pair.ties, pair.decisive.n) == (11, 0, 1)


def test_names_are_kept_as_they_were_written(lite: RatingStore, tmp_path: Any) -> None:
    study = make_study(lite, tmp_path, title="<script>alert(1)</script>")
    hostile = "<img src=x onerror=alert(1)> {0} %s $x$"
    ana = join(study, hostile)
    answer(study, ana, shown(study, ana))
    found = analyse(study, resamples=50)
    assert found.quality.raters[0].rater == hostile and found.title == "<script>alert(1)</script>"
