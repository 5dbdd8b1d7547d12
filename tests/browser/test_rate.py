"""Rating by keyboard in real browsers: blind, through a killed server, and every action in the store once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.ratings import RatingStore, actions, items, open_study
from core.records import BASELINE
from tests.browser.conftest import PATIENCE, keep_picture
from tests.browser.rating import ADAPTER, RUN, RaterPage, RatingServer, make_studied

pytestmark = pytest.mark.browser

KEYS = {"left": "1", "right": "2", "tie": "3", "both_bad": "4"}


class Wire:
    """All that a tab is sent and sends: frames, bodies and addresses."""

    def __init__(self, page: Any) -> None:
        self.heard: list[bytes] = []
        page.on("websocket", self._listen)
        page.on("request", lambda request: self.heard.append(request.url.encode()))

    def _listen(self, socket: Any) -> None:
        for event in ("framereceived", "framesent"):
            socket.on(event, lambda frame: self.heard.append(frame if isinstance(frame, bytes) else frame.encode()))

    def has(self, name: str) -> bool:
        return any(name.encode() in one for one in self.heard)


@pytest.fixture
def tabs(browser: Any) -> Iterator[list[Any]]:
    made = [browser.new_context(viewport={"width": 1280, "height": 900}) for _ in range(2)]
    for context in made:
        context.set_default_timeout(PATIENCE)
    yield [context.new_page() for context in made]
    for context in made:
        context.close()


def verdict(number: int) -> str:
    """What both raters think of example ``number``; a variant, tie or both_bad."""
    return ("tie", "both_bad", BASELINE, BASELINE, ADAPTER, ADAPTER, ADAPTER)[number % 7]


def key_for(tab: RaterPage) -> str:
    number = int(tab.text("Prompt").rpartition(" ")[2])
    wanted = verdict(number)
    way = {BASELINE: f"answer {number} in way 0", ADAPTER: f"answer {number} in way 1"}.get(wanted)
    return KEYS[wanted if way is None else "left" if tab.text("Left") == way else "right"]


def test_two_browsers_rate_thirty_pairs_through_a_killed_server(tmp_path: Path, tabs: list[Any]) -> None:
    store, made = make_studied(tmp_path / "workspace", 30, raters=2)
    server = RatingServer(tmp_path / "workspace", made)
    wires = [Wire(page) for page in tabs]
    server.start()
    try:
        raters = [RaterPage(page, server.link(), name) for page, name in zip(tabs, ("Ana", "Bo"), strict=True)]
        keep_picture(tabs[0], "rate-pair.png")
        _rate(raters, until=lambda: _n_answers(store, made.study.id) >= 12)
        shown = [(one.text("Left"), one.text("Right")) for one in raters]
        server.kill()
        for one in raters:
            one.ready()
            one.press(key_for(one))
        assert [(one.text("Left"), one.text("Right")) for one in raters] == shown, "the item stays"
        server.start()
        tabs[0].reload()
        tabs[0].wait_for_selector(".form[data-item]")
        assert [(one.text("Left"), one.text("Right")) for one in raters] == shown, "the same item, the same sides"
        _send_again(raters[1])
        _rate(raters, until=lambda: _n_answers(store, made.study.id) >= 30)
        for page in tabs:
            if page.get_by_text("Look again").count():  # the last item was on the other's screen
                page.keyboard.press("Enter")
            page.wait_for_selector("text=Thank you")
        pages = [page.content() + page.url + page.title() for page in tabs]
    finally:
        server.kill()
    table = actions(open_study(store, made.study.id))
    assert len(table) == 30 and Counter(table["rater"]).keys() == {"Ana", "Bo"}
    assert sorted(table["item_id"]) == sorted(items(open_study(store, made.study.id))["item_id"]), "each once"
    assert set(table["kind"]) == {"rate"} and table["supersedes"].isna().all()
    for row in table.itertuples():
        assert row.preferred == verdict(int(str(row.example_id)[1:])), "the side that was meant"
    assert set(table["variant_left"]) == {BASELINE, ADAPTER}, "sides are mixed"
    assert all(wire.has("in way 1") for wire in wires), "the test can hear what is sent"
    for name in (ADAPTER, RUN, "rated-run-base"):
        assert not any(wire.has(name) for wire in wires) and not any(name in page for page in pages)


def _send_again(rater: RaterPage) -> None:
    """Go on in a tab that was not loaded again: it finds the server by itself, and Enter sends the answer that it kept."""
    before = rater.item
    rater.until(lambda: rater.page.get_by_text("not stored yet").count() > 0)
    for _ in range(20):
        rater.press("Enter")
        rater.page.wait_for_timeout(1000)
        if rater.item != before:
            return
    raise AssertionError(rater.page.inner_text("body"))


def _rate(raters: list[RaterPage], until: Any) -> None:
    while not until():
        working = [one for one in raters if one.item]
        assert working, "somebody has an item as long as there are some"
        before = [one.item for one in working]
        working[0].ready()
        for one in working:
            one.press(key_for(one))
        for one, item in zip(working, before, strict=True):
            one.moved_on(item)


def _n_answers(store: RatingStore, study_id: str) -> int:
    return len(actions(open_study(store, study_id)))
