"""What an answer may be, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InputError
from core.ratings.records import STANDARD_CRITERIA, StudyPlan
from core.ratings.values import check_values, gold_is_right, preferred

PAIR = StudyPlan(title="t", mode="pair")
GRADED = StudyPlan(title="t", mode="pair", graded=True)
SCORE = StudyPlan(title="t", mode="score")
RANK = StudyPlan(title="t", mode="rank")


@pytest.mark.parametrize(
    ("plan", "value", "n"),
    [(PAIR, "left", 2), (PAIR, "both_bad", 2), (GRADED, -3, 2), (GRADED, 0, 2), (RANK, [2, 1, 3], 3), (RANK, (1, 1, 1, 1), 4),
     (RANK, [1, 2, 2], 3)],
)  # fmt: skip
def test_possible_answers(plan: StudyPlan, value: Any, n: int) -> None:
    assert list(check_values(plan, {"preference": value}, n)) == ["preference"]


@pytest.mark.parametrize(
    ("plan", "value", "said"),
    [(PAIR, "Left", "'Left', expected one of left, right, tie, both_bad"), (PAIR, 1, "1, expected one of"),
     (GRADED, 4, "4, expected a whole number from -3 to 3"), (GRADED, 1.5, "1.5, expected a whole"), (GRADED, True, "True, expected"),
     (RANK, [1, 2], "expected 3 ranks"), (RANK, [1, 3, 3], "expected 3 ranks"), (RANK, [0, 1, 2], "expected 3 ranks"),
     (RANK, "123", "expected 3 ranks"), (RANK, [1, 2, True], "expected 3 ranks"), (PAIR, None, "No answer yet for: preference")],
)  # fmt: skip
def test_impossible_answers(plan: StudyPlan, value: Any, said: str) -> None:
    with pytest.raises(InputError) as error:
        check_values(plan, {"preference": value}, 3 if plan is RANK else 2)
    assert said in str(error.value)


def test_every_criterion_is_needed_and_no_other_taken() -> None:
    whole = {criterion.name: 5 for criterion in STANDARD_CRITERIA}
    assert check_values(SCORE, whole, 1) == dict.fromkeys(whole, "5")
    with pytest.raises(InputError, match="No answer yet for: accuracy, overall"):
        check_values(SCORE, {"fluency": 1, "relevance": 2}, 1)
    with pytest.raises(InputError, match=r"'flunecy' \(did you mean 'fluency'\?\)"):
        check_values(SCORE, whole | {"flunecy": 3}, 1)
    with pytest.raises(InputError, match="6, expected a whole number from 1 to 5"):
        check_values(SCORE, whole | {"overall": 6}, 1)


@pytest.mark.parametrize(
    ("mode", "value", "shown", "wanted"),
    [("pair", "left", ("a", "b"), "a"), ("pair", "right", ("a", "b"), "b"), ("pair", "tie", ("a", "b"), "tie"),
     ("pair", "both_bad", ("a", "b"), "both_bad"), ("pair", -1, ("a", "b"), "a"), ("pair", 3, ("a", "b"), "b"),
     ("pair", 0, ("a", "b"), "tie"),
     ("rank", [2, 1, 3], ("a", "b", "c"), "b"), ("rank", [1, 1, 2], ("a", "b", "c"), "tie"), ("score", 4, ("a",), None),
     ("pair", None, ("a", "b"), None)],
)  # fmt: skip
def test_what_is_preferred(mode: str, value: Any, shown: tuple[str, ...], wanted: str | None) -> None:
    assert preferred(mode, value, shown) == wanted


def test_gold() -> None:
    ends = {"best": "gold:1", "worst": "gold:2"}
    assert gold_is_right("pair", "preference", "right", ("gold:2", "gold:1"), ends) is True
    assert gold_is_right("pair", "preference", "tie", ("gold:2", "gold:1"), ends) is False
    assert gold_is_right("pair", "preference", -2, ("gold:1", "gold:2"), ends) is True
    assert (
        gold_is_right("rank", "preference", [3, 1, 2], ("gold:3", "gold:1", "gold:2"), ends | {"worst": "gold:3"})
        is True
    )
    assert gold_is_right("score", "overall", 3, ("gold:1",), {"overall": (1, 2)}) is False
    assert gold_is_right("score", "fluency", 3, ("gold:1",), {"overall": (1, 2)}) is None
    assert gold_is_right("pair", "preference", None, ("gold:1", "gold:2"), ends) is None
