"""What raters read and how each mode is answered, in a real browser on one's own machine: texts as they are, Markdown, keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.ratings import Study, actions, create_study, open_store
from tests.browser.conftest import Server, expect, keep_picture, served
from tests.browser.rating import RaterPage
from tests.core.ratings.studies import plan, write_run
from tests.synthetic import HOSTILE, make_workspace

pytestmark = pytest.mark.browser

NASTY = (
    "</div></template><script>window.hacked = 1</script>", "ends\r\nwith\ttabs  and  spaces ", "x" * 200_000, "\u200fمرحبا",
    "half a\u0000 control", "<!-- --> &amp; &lt;b&gt;", *HOSTILE,
)  # fmt: skip
MARKED = "# Title\n\n- **bold** <img src=x onerror='window.hacked=1'>\n\n![i](http://x.example/y.png) [a](javascript:alert(1))"
Open = Callable[..., RaterPage]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = make_workspace(tmp_path_factory.mktemp("texts") / "workspace", n=2, runs=False)
    with served(place) as one:
        yield one


@pytest.fixture
def opened(server: Server, page: Any, request: pytest.FixtureRequest) -> Callable[..., tuple[RaterPage, Study]]:
    """Make a study of outputs, and open it as a rater."""

    def make(said: tuple[str, ...], adapters: tuple[str, ...] = ("zq-hidden",), **more: Any) -> tuple[RaterPage, Study]:
        folder = Path(server.workspace) / "runs" / f"run-{abs(hash(request.node.name))}"
        run = write_run(folder, max(4, len(said)), adapters, said=said)
        study = create_study(open_store(server.workspace), [run], plan(**more)).study
        return RaterPage(page, f"{server.address}/rate?study={study.id}&run=run-x&variant=zq-hidden", "Reader"), study

    return make


def test_outputs_are_shown_as_they_are_and_fetch_nothing(page: Any, server: Server, opened: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    tab, _ = opened(NASTY)
    assert "run-x" not in page.url and "zq-hidden" not in page.url
    for _ in NASTY:
        number = int(tab.text("Prompt").rpartition(" ")[2])
        more = page.get_by_role("button", name="Show all")
        if more.count():
            more.click()
        expected = NASTY[number].replace("\u0000", "\ufffd")
        assert expected in (tab.text("Left"), tab.text("Right"))
        tab.ready()
        before = tab.item
        tab.press("3")
        tab.moved_on(before)
    page.wait_for_selector("text=Thank you")
    assert page.evaluate("window.hacked") is None
    assert all(url.startswith((server.address, "data:", "blob:")) for url in asked), asked


def test_markdown_is_drawn_on_both_sides_and_runs_nothing(page: Any, opened: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    tab, _ = opened((MARKED,) * 4)
    page.get_by_role("button", name="View").click()
    page.get_by_text("As Markdown").click()
    page.wait_for_selector(".text.rendered h1")
    expect(page.locator(".text.rendered")).to_have_count(2)  # all sides alike
    expect(page.locator(".rendered h1")).to_have_text("Title", use_inner_text=True)
    expect(page.locator(".rendered strong")).to_have_count(1)
    expect(page.locator(".rendered img, .rendered a, .rendered script")).to_have_count(0)
    assert "<img src=x" in tab.text("Left") + tab.text("Right")
    assert page.evaluate("window.hacked") is None and not any("x.example" in url for url in asked)


def test_words_that_differ_are_marked_when_asked_for(page: Any, opened: Any) -> None:
    tab, _ = opened(())
    expect(page.locator(".pane ins")).to_have_count(0)  # off by default
    before = {tab.text("Left"), tab.text("Right")}
    page.get_by_role("button", name="View").click()
    page.get_by_text("Mark the words that differ").click()
    page.wait_for_selector(".pane ins")
    assert {mark.strip() for mark in page.locator(".pane ins").all_inner_texts()} == {"0", "1"}
    assert {tab.text("Left"), tab.text("Right")} == before


@pytest.mark.parametrize(
    ("mode", "keys", "values"),
    [("score", "4|2|5|1|Enter", [4, 2, 5, 1]), ("pair", "6", [2]), ("rank", "2|t|3|1|Enter", [[2, 1, 1]])],
)
def test_each_mode_is_rated_by_keys(page: Any, opened: Any, mode: str, keys: str, values: list[Any]) -> None:
    tab, study = opened((), ("zq-hidden", "zq-other"), mode=mode, **({"graded": True} if mode == "pair" else {}))
    tab.ready()
    before = tab.item
    for key in keys.split("|"):
        tab.press(key)  # as fast as they come
    tab.moved_on(before)
    keep_picture(page, f"rate-{mode}.png")
    assert list(actions(study)["value"]) == values


def test_guidelines_are_at_hand_and_other_pages_are_not(page: Any, opened: Any) -> None:
    opened((), guidelines="# What counts\n\nPrefer the **shorter** one.")
    page.get_by_role("button", name="Guidelines").click()
    expect(page.locator(".ls-guide strong")).to_have_text("shorter", use_inner_text=True)
    expect(page.locator("[data-testid=stSidebarNav]")).to_be_hidden()
    expect(page.locator(".ls-brand")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="All studies").click()
    page.wait_for_selector("text=Make a study")
    page.wait_for_selector("[data-testid=stSidebarNav]")
