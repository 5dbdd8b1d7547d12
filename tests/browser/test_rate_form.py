"""The rating form in a real browser: keys held and hammered, skipping and going back, a store that does not answer, no link."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.ratings import CreatedStudy, RatingStore, actions, open_study
from tests.browser.conftest import expect, keep_picture
from tests.browser.rating import RaterPage, RatingServer, make_studied

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rate") / "workspace"


@pytest.fixture(scope="module")
def first(place: Path) -> tuple[RatingStore, CreatedStudy]:
    return make_studied(place, 40)


@pytest.fixture(scope="module")
def server(place: Path, first: tuple[RatingStore, CreatedStudy]) -> Iterator[RatingServer]:
    made = RatingServer(place, first[1])
    made.start()
    yield made
    made.kill()


def stored(first: tuple[RatingStore, CreatedStudy], name: str) -> list[Any]:
    table = actions(open_study(first[0], first[1].study.id))
    return list(table[table["rater"] == name].itertuples())


def test_a_held_key_and_a_double_click_are_one_action(page: Any, server: RatingServer, first: Any) -> None:
    tab = RaterPage(page, server.link(), "Holder")
    tab.ready()
    before = tab.item
    for _ in range(40):  # as a keyboard repeats a key that stays down
        page.keyboard.down("1")
        page.wait_for_timeout(30)
    page.keyboard.up("1")
    assert tab.item != before and len(stored(first, "Holder")) == 1
    tab.ready()
    before, button = tab.item, page.get_by_role("button", name="Right is better").bounding_box()
    page.mouse.click(button["x"] + 20, button["y"] + 10, click_count=2, delay=20)
    tab.moved_on(before)
    page.wait_for_timeout(600)
    assert [row.value for row in stored(first, "Holder")] == ["left", "right"]


def test_keys_skip_flag_and_go_back(page: Any, server: RatingServer, first: Any) -> None:
    tab = RaterPage(page, server.link(), "Keys <b>&</b> 🦊")
    expect(page.locator(".line span").first).to_have_text("Keys <b>&</b> 🦊", use_inner_text=True)
    tab.ready()
    tab.press("f")
    keep_picture(page, "rate-flag.png")
    tab.press("2")
    page.wait_for_selector("text=Flagged.")
    page.get_by_label("Comment").fill("a 1 and a 2 in words <i>")
    tab.press("Escape")
    before = tab.item
    tab.press("4")
    tab.moved_on(before)
    tab.ready()
    before = tab.item
    tab.press("s")
    tab.press("3")
    tab.moved_on(before)
    tab.press("u")
    tab.until(lambda: tab.item.endswith(":2"))
    assert "You skipped this item" in page.inner_text(".form")
    tab.ready()
    tab.press("2")
    tab.until(lambda: not tab.item.endswith(":2"))
    rows = stored(first, "Keys <b>&</b> 🦊")
    assert [(row.kind, row.value, row.reason) for row in rows] == [
        ("flag", None, "harmful"), ("rate", "both_bad", ""), ("skip", None, "language I do not read"), ("rate", "right", ""),
    ]  # fmt: skip
    assert rows[1].comment == "a 1 and a 2 in words <i>" and rows[3].supersedes == rows[2].action_id


def test_a_locked_store_keeps_the_answer_in_the_form(page: Any, server: RatingServer, first: Any, place: Path) -> None:
    tab = RaterPage(page, server.link(), "Patient")
    tab.ready()
    before = tab.item
    lock = sqlite3.connect(place / "studies" / "ratings.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        tab.press("2")
        page.wait_for_selector("text=held the database locked")
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    keep_picture(page, "rate-locked.png")
    assert tab.item == before and stored(first, "Patient") == []
    expect(page.get_by_role("button", name="Right is better")).to_have_attribute("aria-pressed", "true")
    tab.press("Enter")
    tab.moved_on(before)
    assert [row.value for row in stored(first, "Patient")] == ["right"]


def test_without_the_link_nothing_is_shown(page: Any, server: RatingServer) -> None:
    for address in (server.address, f"{server.address}/compare", f"{server.address}/?study=x"):
        page.goto(address)
        page.wait_for_selector("text=A link is needed")
        expect(page.locator("[data-testid=stSidebarNav] a, .ls-brand")).to_have_count(0)
    page.goto(server.link().replace("key=", "key=x"))
    page.wait_for_selector("text=This link does not open a study")
