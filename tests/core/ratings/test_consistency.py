"""How a rater agreed with themselves: repeats come with the order reversed, so that the same verdict is on the other side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.ratings import Consistency, RatingItem, RatingStore, consistency, join, next_item, open_by_link, skip, undo
from core.ratings.study import create_study
from tests.core.ratings.studies import answer, make_study, plan, write_run

MIRROR = {"left": "right", "right": "left"}


def rate(store: RatingStore, folder: Path, first: Any, again: Any, **more: Any) -> Consistency:
    """Rate all; of items that came before, so far as texts tell, say ``again``."""
    study = make_study(store, folder, n=24, repeat_share=0.25, **more)
    rater, seen = join(study, "Ana"), set()
    while isinstance(item := next_item(study, rater), RatingItem):
        key = (item.prompt, frozenset(item.outputs))
        answer(study, rater, item, again if key in seen else first)
        seen.add(key)
    return consistency(study, rater)


@pytest.mark.parametrize(
    ("first", "again", "same"),
    [("left", "right", True), ("left", "left", False), ("tie", "tie", True), ("tie", "both_bad", False)],
)
def test_of_pairs_the_side_is_turned_back(
    lite: RatingStore, tmp_path: Path, first: str, again: str, same: bool
) -> None:
    found = rate(lite, tmp_path, first, again)
    assert found.n_repeated >= 3
    assert found.n_same == found.n_near == (found.n_repeated if same else 0)


@pytest.mark.parametrize(
    ("more", "first", "again", "same", "near"),
    [
        ({"graded": True}, 2, -2, True, True), ({"graded": True}, 2, -1, False, True), ({"graded": True}, 2, 2, False, False),
        ({"mode": "score"}, 4, 4, True, True), ({"mode": "score"}, 4, 5, False, True), ({"mode": "score"}, 4, 1, False, False),
        ({"mode": "rank", "adapters": ("lora", "other")}, [1, 2, 3], [3, 2, 1], True, True),
        ({"mode": "rank", "adapters": ("lora", "other")}, [1, 2, 3], [1, 2, 3], False, False),
    ],
)  # fmt: skip
def test_of_scales_one_step_is_near(
    lite: RatingStore, tmp_path: Path, more: dict[str, Any], first: Any, again: Any, same: bool, near: bool
) -> None:
    found = rate(lite, tmp_path, first, again, **more)
    assert found.n_repeated >= 3
    assert (found.n_same == found.n_repeated, found.n_near == found.n_repeated) == (same, near)
    assert found.n_same in (0, found.n_repeated) and found.n_near in (0, found.n_repeated)


def test_the_last_answer_counts_and_a_skip_is_none(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=8, repeat_share=0.5)
    rater, seen, changed = join(study, "Ana"), {}, 0
    while isinstance(item := next_item(study, rater), RatingItem):
        key = frozenset(item.outputs)
        if key not in seen:
            answer(study, rater, item, "left")
        elif changed == 0:
            answer(study, rater, item, "left")
            again = undo(study, rater)
            assert again is not None and consistency(study, rater).n_same == 0
            answer(study, rater, again, "right")
            changed += 1
            assert consistency(study, rater) == Consistency(1, 1, 1)
        else:
            skip(study, rater, item, "other")
        seen[key] = True
    assert consistency(study, rater) == Consistency(1, 1, 1)


def test_a_rater_by_link_is_told_of_their_own_answers_alone(lite: RatingStore, tmp_path: Path) -> None:
    made = create_study(lite, [write_run(tmp_path / "run", 12)], plan(raters=2, overlap=2, repeat_share=0.5))
    study = open_by_link(lite, made.study.id, made.key)
    ana, bo = join(study, "Ana"), join(study, "Bo")
    while isinstance(item := next_item(study, ana), RatingItem):
        answer(study, ana, item, "tie")
    assert consistency(study, ana).n_repeated > 0 and consistency(study, bo) == Consistency(0, 0, 0)
