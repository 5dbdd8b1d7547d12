"""A rater's desk without a browser: one action however often it comes, and nothing lost when the store does not answer."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from core.ratings import RatingStore, Study, actions, close_study, join, open_study
from dashboard.parts.rate_desk import Desk, Screen, item_key, parse_message
from tests.core.ratings.studies import Clock, make_study


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def study(tmp_path: Path, clock: Clock) -> Study:
    store = RatingStore(f"sqlite:///{tmp_path}/ratings.sqlite", clock=clock, lock_seconds=0.1).prepare()
    return make_study(store, tmp_path, n=8)


@pytest.fixture
def desk(study: Study) -> Desk:
    return Desk(study, join(study, "Ana"))


def message(screen: Screen, **more: Any) -> dict[str, Any]:
    assert screen.item is not None
    ready = {
        "item": item_key(screen.item),
        "kind": "rate",
        "values": {"preference": "left"},
        "reason": "",
        "comment": "",
        "token": "t",
    }
    return ready | more


def test_an_answer_is_stored_and_the_next_item_comes(study: Study, desk: Desk) -> None:
    first = desk.screen()
    desk.take(message(first, comment="shorter"))
    second = desk.screen()
    assert second.item is not None and first.item is not None and second.item.assignment_id != first.item.assignment_id
    assert (second.trouble, second.unsent, second.heard) == ("", None, "t")
    assert second.progress is not None and second.progress.rater_done == 1
    assert list(actions(study)["comment"]) == ["shorter"]


def test_the_same_message_twice_and_two_tabs_are_one_action(study: Study, desk: Desk) -> None:
    other = Desk(study, desk.rater)
    screen = desk.screen()
    assert other.screen().item == screen.item, "both tabs show the same"
    sent = message(screen)
    desk.take(sent)
    desk.take(sent)
    desk.screen()
    desk.take(sent)
    other.take(sent | {"values": {"preference": "right"}})
    seen = other.screen()
    assert list(actions(study)["value"]) == ["left"]
    assert "had another answer already, from another tab" in seen.note


def test_a_locked_store_keeps_the_answer_until_it_is_sent_again(study: Study, desk: Desk) -> None:
    screen = desk.screen()
    lock = sqlite3.connect(str(study.store.path), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    desk.take(message(screen, comment="kept"))
    for _ in range(2):  # however often the page is drawn
        held = desk.screen()
        assert held.item == screen.item and "held the database locked for too long" in held.trouble
        assert str(study.store.path) not in held.trouble, "where it is may name a model"
        assert "send it again" in held.trouble and held.unsent is not None and held.unsent.comment == "kept"
    lock.execute("ROLLBACK")
    lock.close()
    assert len(actions(study)) == 0
    desk.take(message(screen, comment="kept"))
    assert desk.screen().trouble == "" and list(actions(study)["comment"]) == ["kept"]


@pytest.mark.parametrize(
    ("pragma", "sentence"),
    [
        ("query_only = ON", "the database is read-only here"),
        ("max_page_count = 1", "the disk is full. Free some space."),
    ],
)
def test_a_store_that_refuses_is_said_and_the_answer_stays(
    study: Study, desk: Desk, pragma: str, sentence: str
) -> None:
    screen = desk.screen()

    def refuse(raw: Any, _record: Any) -> None:
        raw.execute(f"PRAGMA {pragma}")

    event.listen(study.store.engine, "connect", refuse)
    sent = message(screen, comment="long enough to need a page of its own: " + "x" * 9000)
    desk.take(sent)
    held = desk.screen()
    assert held.item == screen.item and sentence in held.trouble and held.unsent is not None
    event.remove(study.store.engine, "connect", refuse)
    desk.take(sent)
    assert desk.screen().trouble == "" and len(actions(study)) == 1


def test_too_soon_is_said_and_not_stored(study: Study, desk: Desk, clock: Clock) -> None:
    clock.step = timedelta(0)
    desk.take(message(desk.screen()))
    seen = desk.screen()
    assert "before the item could be read" in seen.note and seen.item is not None and len(actions(study)) == 0
    assert desk.screen().note == "", "said once"


def test_a_clock_that_goes_back_loses_nothing(study: Study, desk: Desk, clock: Clock) -> None:
    screen = desk.screen()
    clock.pass_minutes(-60)
    desk.take(message(screen))
    after = desk.screen()
    assert (after.note, after.trouble) == ("", "") and len(actions(study)) == 1


def test_skip_flag_and_undo(study: Study, desk: Desk) -> None:
    screen = desk.screen()
    desk.take(message(screen, kind="flag", reason="other", comment="names its maker"))
    flagged = desk.screen()
    assert flagged.item == screen.item and flagged.note.startswith("Flagged")
    desk.take(message(screen, kind="skip", reason="text is broken"))
    desk.take(message(desk.screen(), kind="undo"))
    back = desk.screen()
    assert back.item is not None and screen.item is not None
    assert (back.item.assignment_id, back.item.sequence, back.item.previous) == (screen.item.assignment_id, 2, {})
    rows = actions(study)
    assert list(zip(rows["kind"], rows["reason"], strict=True)) == [
        ("flag", "names its maker"),
        ("skip", "text is broken"),
    ]


def test_nothing_to_go_back_to_is_said(desk: Desk) -> None:
    desk.take(message(desk.screen(), kind="undo"))
    assert desk.screen().note == "There is no answer yet to go back to."


def test_a_study_that_is_closed_meanwhile_ends_the_work(study: Study, desk: Desk) -> None:
    screen = desk.screen()
    close_study(open_study(study.store, study.id))
    desk.take(message(screen))
    seen = desk.screen()
    assert seen.item is None and seen.done is not None and seen.done.state == "closed"
    assert "before this answer came: it was not stored" in seen.trouble and len(actions(study)) == 0


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "x",
        {},
        {"kind": "drop"},
        {"kind": "rate"},
        {"kind": "rate", "item": 1, "values": {}},
        {"kind": "rate", "values": [1]},
        {"kind": ["rate"], "values": {}},
    ],
)
def test_what_no_form_sends_is_no_message(desk: Desk, raw: Any) -> None:
    desk.screen()
    assert parse_message(raw) is None
    desk.take(raw)
    assert desk.screen().trouble == ""


def test_an_impossible_answer_is_refused_in_a_sentence(study: Study, desk: Desk) -> None:
    for values in ({"preference": "middle"}, {}, {"prefrence": "left"}, {"preference": ["left"]}):
        desk.take(message(desk.screen(), values=values))
        assert desk.screen().trouble.startswith(("Found", "No answer yet"))
    assert len(actions(study)) == 0
