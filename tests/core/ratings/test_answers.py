"""Actions: one row each, once, never changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from core.errors import InputError, RunError
from core.ratings import (
    RatingItem,
    RatingStore,
    actions,
    close_study,
    flag,
    join,
    next_item,
    own_actions,
    progress,
    skip,
    submit,
    undo,
)
from core.ratings.tables import ACTIONS, OUTPUTS
from tests.core.ratings.studies import Clock, answer, make_study, rate_all, shown


def test_a_row_says_all_about_an_action(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path, show_reference=True)
    rater = join(study, "王 <b>Ana</b> 🦊")
    item = shown(study, rater)
    receipt = submit(study, rater, item, {"preference": "right"}, comment="shorter, 更好")
    (row,) = actions(study).to_dict("records")
    assert (row["action_id"],) == receipt.action_ids and row["rater"] == "王 <b>Ana</b> 🦊"
    assert row["value"] == "right" and row["preferred"] == row["variant_right"] and row["comment"] == "shorter, 更好"
    assert {row["variant_left"], row["variant_right"]} == {"baseline", "lora"}
    with store.reading() as connection:
        hashes = {
            r.variant: r.hash for r in connection.execute(select(OUTPUTS).where(OUTPUTS.c.text.in_(item.outputs)))
        }
    assert (row["hash_left"], row["hash_right"]) == (hashes[row["variant_left"]], hashes[row["variant_right"]])
    assert row["shown_at"] == item.shown_at < row["submitted_at"] and row["seconds"] >= 1
    assert row["criterion"] == "preference" and row["guideline_hash"] == item.guideline_hash and row["current"]
    assert (row["length_left"], row["length_right"]) == tuple(len(text) for text in item.outputs)
    assert (
        not (row["gold"] or row["repeat"] or row["practice"])
        and row["supersedes"] is None
        and row["cluster"].startswith("g")
    )
    assert item.reference and item.reference.startswith("reference ")


def test_scores_are_a_row_a_criterion(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path, n=3, mode="score")
    rater = join(study, "Ana")
    item = shown(study, rater)
    assert len(item.outputs) == 1
    values = {"fluency": 5, "relevance": 4, "accuracy": 1, "overall": 2}
    assert len(submit(study, rater, item, values).action_ids) == 4
    frame = actions(study)
    assert (
        dict(zip(frame["criterion"], frame["value"], strict=True)) == values and frame["assignment_id"].nunique() == 1
    )
    assert frame["preferred"].isna().all() and frame["variant_right"].isna().all()


def test_a_click_twice_is_one_action(store: RatingStore, tmp_path: Path, clock: Clock) -> None:
    study = make_study(store, tmp_path)
    rater = join(study, "Ana")
    item = shown(study, rater)
    clock.step = timedelta(milliseconds=10)
    clock.pass_minutes(0.1)
    first, second = answer(study, rater, item), answer(study, rater, item)
    assert (
        (first.outcome, second.outcome) == ("stored", "repeated")
        and first.action_ids == second.action_ids
        and not second.note
    )
    assert len(actions(study)) == 1


def test_of_two_tabs_the_first_answer_stands_and_the_second_is_told(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path)
    rater = join(study, "Ana")
    one, other = shown(study, rater), shown(study, rater)
    answer(study, rater, one, "left")
    for late in (answer(study, rater, other, "right"), skip(study, rater, other, "other")):
        assert late.outcome == "repeated" and "another tab" in late.note
    assert list(actions(study)["value"]) == ["left"]


def test_held_keys_rate_nothing_that_was_not_seen(store: RatingStore, tmp_path: Path, clock: Clock) -> None:
    study = make_study(store, tmp_path)
    rater = join(study, "Ana")
    clock.step = timedelta(milliseconds=40)
    outcomes = []
    for _ in range(12):  # a key that repeats every 40 ms and answers whatever is on screen
        item = next_item(study, rater)
        assert isinstance(item, RatingItem)
        outcomes.append(answer(study, rater, item).outcome)
    assert outcomes.count("stored") <= 3 and "too soon" in outcomes
    assert len(actions(study)) == outcomes.count("stored")
    frame = actions(study)
    assert (frame["seconds"] >= 0.4).all()
    item = shown(study, rater)
    early = skip(study, rater, item, "other")
    assert early.outcome == "too soon" and "was not stored" in early.note


def test_undo_goes_back_and_the_new_answer_supersedes(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path, n=5)
    rater = join(study, "Ana")
    assert undo(study, rater) is None
    first, second = rate_all(study, rater, 2)
    waiting = shown(study, rater)
    back = undo(study, rater)
    assert back is not None
    assert (back.assignment_id, back.outputs, back.sequence) == (second.assignment_id, second.outputs, 2)
    assert back.previous == {"preference": "left"} and shown(study, rater) == back
    assert list(actions(study)["current"]) == [True, True], "the old answer stands until there is a new one"
    further = undo(study, rater)
    assert further is not None and further.assignment_id == first.assignment_id
    answer(study, rater, further, "both_bad")
    answer(study, rater, back, "tie")
    assert shown(study, rater).assignment_id == waiting.assignment_id
    frame = actions(study)
    assert list(frame["value"]) == ["left", "left", "both_bad", "tie"] and list(frame["current"]) == [
        False,
        False,
        True,
        True,
    ]
    assert list(frame["supersedes"][2:]) == list(frame["action_id"][:2])
    assert (
        list(actions(study, current_only=True)["value"]) == ["both_bad", "tie"]
        and progress(study, rater).rater_done == 2
    )


def test_undo_twice_in_a_moment_is_once(store: RatingStore, tmp_path: Path, clock: Clock) -> None:
    study = make_study(store, tmp_path)
    rater = join(study, "Ana")
    rate_all(study, rater, 3)
    clock.step = timedelta(milliseconds=20)
    assert undo(study, rater) == undo(study, rater)


def test_an_answer_can_become_a_skip_and_a_skip_an_answer(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path, mode="score")
    rater = join(study, "Ana")
    rate_all(study, rater, 1)
    item = undo(study, rater)
    assert item is not None and item.previous == {"fluency": 3, "relevance": 3, "accuracy": 3, "overall": 3}
    skip(study, rater, item, "cannot judge this", comment="Greek")
    assert len(actions(study, current_only=True)) == 0
    item = undo(study, rater)
    assert item is not None and item.previous == {} and item.previous_comment == "Greek"
    answer(study, rater, item, 5)
    frame = actions(study)
    assert list(frame["kind"]) == ["rate"] * 4 + ["skip"] + ["rate"] * 4 and frame["current"].sum() == 4
    assert list(frame[frame["kind"] == "skip"]["reason"]) == ["cannot judge this"]
    assert set(frame["supersedes"][5:]) == {frame["action_id"][4]}


def test_a_flag_stays_beside_the_answer(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path)
    rater = join(study, "Ana")
    item = shown(study, rater)
    assert [flag(study, rater, item, "names its maker").outcome for _ in range(2)] == ["stored", "repeated"]
    assert shown(study, rater) == item
    answer(study, rater, item)
    frame = actions(study)
    assert list(frame["kind"]) == ["flag", "rate"] and list(frame["current"]) == [False, True]


@pytest.mark.parametrize("step", [skip, flag])
def test_a_reason_is_needed(lite: RatingStore, tmp_path: Path, step) -> None:  # noqa: ANN001
    study = make_study(lite, tmp_path)
    rater = join(study, "Ana")
    with pytest.raises(InputError, match="Found no reason to"):
        step(study, rater, shown(study, rater), "  ")
    with pytest.raises(InputError, match="reason of 20,000 characters"):
        step(study, rater, shown(study, rater), "x" * 20_000)


def test_what_is_not_ones_own_cannot_be_answered(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path)
    ana, ben = join(study, "Ana"), join(study, "Ben")
    item = shown(study, ana)
    for step in (
        lambda: answer(study, ben, item),
        lambda: skip(study, ben, item, "x"),
        lambda: flag(study, ben, item, "x"),
    ):
        with pytest.raises(InputError, match="This item was not given to 'Ben'"):
            step()
    with pytest.raises(InputError, match="answered anew since"):
        answer(study, ana, replace(item, sequence=2))
    with pytest.raises(InputError, match="comment of 10,001 characters"):
        submit(study, ana, item, {"preference": "tie"}, comment="x" * 10_001)
    assert len(actions(study)) == 0


def test_nothing_is_stored_after_the_end(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path)
    rater = join(study, "Ana")
    item = shown(study, rater)
    close_study(study)
    with pytest.raises(InputError, match=r"closed at 2026-11-22 16:\d\d UTC, before this answer came"):
        answer(study, rater, item)
    with pytest.raises(InputError, match="answers stay as they are"):
        undo(study, rater)
    ended = next_item(study, rater)
    assert not isinstance(ended, RatingItem) and ended.state == "closed" and len(actions(study)) == 0


def test_the_database_itself_refuses_to_change_an_action(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path)
    rate_all(study, join(study, "Ana"), 2)
    for change in (update(ACTIONS).values(value='"tie"'), delete(ACTIONS)):
        with pytest.raises(RunError, match="append-only"), store.writing() as connection:
            connection.execute(change)
        with pytest.raises(DBAPIError), store.engine.begin() as connection:
            connection.execute(change)
    assert list(actions(study)["value"]) == ["left", "left"]


def test_hostile_texts_come_back_as_they_were(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path)
    text = "'; DROP TABLE actions; -- <script> $1 %s \\ \r\n\t 好 🦊"
    rater = join(study, "x'); DELETE FROM raters; --")
    submit(study, rater, shown(study, rater), {"preference": "tie"}, comment=text)
    (row,) = actions(study).to_dict("records")
    assert row["comment"] == text.strip() and row["rater"] == "x'); DELETE FROM raters; --"


def test_own_answers_name_no_variant(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path)
    ana, ben = join(study, "Ana"), join(study, "Ben")
    rate_all(study, ana, 2)
    rate_all(study, ben, 1)
    mine = own_actions(study, ana.id)
    assert len(mine) == 2 and "lora" not in mine.to_csv() and not any("variant" in name for name in mine.columns)
