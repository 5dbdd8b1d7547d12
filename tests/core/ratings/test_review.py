"""What an owner looks at beside the numbers: reasons, texts of one item, and when an analysis is out of date."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.ratings import (
    RatingStore,
    actions,
    close_study,
    flag,
    items,
    join,
    next_item,
    open_by_link,
    open_study,
    skip,
    submit,
)
from core.ratings.records import RatingItem
from core.ratings.review import reasons, reviewed_item, study_state
from core.ratings.study import renew_link
from tests.core.ratings.studies import answer, make_study, rate_all, shown


def test_reasons_are_counted_in_the_raters_own_words(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=6, raters=2, overlap=2)
    ana, ben = join(study, "Ana"), join(study, "Ben")
    assert reasons(study) == ()
    for rater in (ana, ben):
        item = shown(study, rater)
        flag(study, rater, item, "<b>names</b> its maker")
        skip(study, rater, item, "prompt is unclear")
    skip(study, ana, shown(study, ana), "prompt is unclear")
    found = {(one.kind, one.reason): one for one in reasons(study)}
    stored = actions(study)
    for (kind, reason), one in found.items():
        mine = stored[(stored["kind"] == kind) & (stored["reason"] == reason)]
        assert (one.count, one.n_items) == (len(mine), mine["item_id"].nunique())
        assert one.example_ids == tuple(sorted(set(mine["example_id"])))
    assert set(found) == {("skip", "prompt is unclear"), ("flag", "<b>names</b> its maker")}
    assert [one.count for one in reasons(study)] == [3, 2]


def test_practice_has_no_reasons(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=6, examples=3, practice=1)
    rater = join(study, "Ana")
    item = shown(study, rater)
    assert item.practice
    skip(study, rater, item, "other")
    assert reasons(study) == ()


def test_an_item_has_its_texts_in_the_studys_order(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=4)
    row = items(study).iloc[0]
    found = reviewed_item(study, row["item_id"])
    number = int(row["example_id"][1:])
    assert [name for name, _ in found.outputs] == ["baseline", "lora"]
    assert [text for _, text in found.outputs] == [f"answer {number} in way {way}" for way in (0, 1)]
    assert (found.example_id, found.reference) == (row["example_id"], f"reference {number}") and found.prompt
    with pytest.raises(InputError, match="has no item 'nope'. Choose one of its list"):
        reviewed_item(study, "nope")


def test_an_item_of_another_study_is_not_shown(lite: RatingStore, tmp_path: Path) -> None:
    one, other = make_study(lite, tmp_path / "a", n=4), make_study(lite, tmp_path / "b", n=4)
    with pytest.raises(InputError, match="has no item"):
        reviewed_item(one, items(other)["item_id"].iloc[0])


def test_raters_see_neither_before_the_end(lite: RatingStore, tmp_path: Path) -> None:
    owner = make_study(lite, tmp_path, n=4)
    item_id = items(owner)["item_id"].iloc[0]
    study = open_by_link(lite, owner.id, renew_link(owner))
    for refused in (lambda: reasons(study), lambda: reviewed_item(study, item_id)):
        with pytest.raises(InputError, match="once the study is closed"):
            refused()
    close_study(owner)
    assert reasons(study) == () and reviewed_item(study, item_id).item_id == item_id


def test_every_action_and_the_end_change_the_state(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=4)
    rater = join(study, "Ana")
    seen = [study_state(study)]
    item = next_item(study, rater)
    assert isinstance(item, RatingItem)
    flag(study, rater, item, "other")
    seen.append(study_state(study))
    answer(study, rater, item)
    seen.append(study_state(study))
    rate_all(study, rater)
    seen.append(study_state(study))
    close_study(study)
    seen.append(study_state(study))
    assert len(set(seen)) == 5 and [n for n, _ in seen] == [0, 1, 2, 5, 5] and seen[-1][1]
    assert study_state(open_study(lite, study.id)) == seen[-1]


def test_an_answer_that_is_sent_twice_changes_nothing(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=4)
    rater = join(study, "Ana")
    item = shown(study, rater)
    submit(study, rater, item, {"preference": "left"})
    before = study_state(study)
    submit(study, rater, item, {"preference": "left"})
    assert study_state(study) == before
