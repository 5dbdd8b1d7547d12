"""Text features, likes and panes of the Examples page in a real browser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.example_texts import read_table
from core.flags import read_flags
from core.slices import answer_slice, matcher
from core.text_features import answer_rows, cell_counts, feature_from, feature_hits
from core.workspace import load_workspace
from tests.browser.conftest import CUT_OFF, Server, expect, keep_picture, settled

pytestmark = pytest.mark.browser


def _open(page: Any, server: Server, query: str) -> None:
    page.goto(f"{server.address}/examples?task=reply&{query}")
    settled(page)
    page.locator(".row[aria-current=true]").wait_for()


def _only_adapter(server: Server, word: str) -> int:
    run = load_workspace(server.workspace).runs()[0]
    ids = read_table(run, "reply").ids
    hits = feature_hits(run, "reply", feature_from("contains", word), answer_rows(run, "reply", ids))
    return cell_counts(hits, np.arange(len(ids)), "qv-r8", "baseline")["variant"]


def test_a_word_is_asked_for_counted_and_listed_and_a_reload_keeps_it(page: Any, full: Server) -> None:
    count = _only_adapter(full, "sorry")
    assert 0 < count < 50
    _open(page, full, "")
    box = page.get_by_role("combobox", name="Text feature")
    box.click()
    page.get_by_role("option", name="Contains words").click()
    page.get_by_placeholder("Words, as typed").fill("sorry")
    page.keyboard.press("Enter")
    page.locator(".ls-rail-block[data-variant=qv-r8]").wait_for()
    page.get_by_text(f"only qv-r8 {count}").click()
    page.wait_for_url("**feature-in=variant**")
    page.get_by_text(f"The {count} examples listed").wait_for()
    page.reload()
    page.get_by_text(f"The {count} examples listed").wait_for()
    expect(page.get_by_placeholder("Words, as typed")).to_have_value("sorry")
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def test_a_hostile_pattern_is_answered_and_the_page_goes_on(page: Any, full: Server) -> None:
    _open(page, full, "feature=regex&feature-text=" + "%5E(a%7Ca)*%3Cscript%3E(x%2Bx%2B)%2By%24")
    page.locator(".ls-rail-block[data-variant=qv-r8]").get_by_text("0.0 %").wait_for()
    page.get_by_placeholder("A pattern").fill("[<img src=x onerror=alert(1)>")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("is not a regular expression that can be searched").wait_for()
    expect(page.locator("img[src=x]")).to_have_count(0)


def test_a_feature_becomes_a_slice_of_every_metric_and_a_link_opens_it_again(page: Any, full: Server) -> None:
    run = load_workspace(full.workspace).runs()[0]
    name = answer_slice("reply", "baseline", feature_from("contains", "you"))
    count = len(matcher(run, name).of("reply"))
    assert 5 < count < 60
    _open(page, full, "feature=contains&feature-text=you")
    page.get_by_role("button", name="Compare where baseline has it").click()
    page.get_by_text("Every metric, every variant").first.wait_for()
    expect(page.get_by_role("combobox", name="Slice")).to_have_value(name)
    page.get_by_text(f"n = {count}").first.wait_for()
    page.wait_for_url("**slice=answers**")
    page.goto(page.url.replace("/compare", "/examples"))
    page.get_by_text(f"The {count} examples listed").wait_for()
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def test_more_like_this_lists_the_nearest_and_opens_them_by_key(page: Any, full: Server) -> None:
    _open(page, full, "example=eval-007")
    page.get_by_role("button", name="More like this").click()
    page.get_by_text("Like eval-007, by shared words: the nearest first.").wait_for()
    page.locator(".ls-opened b:text-is('eval-007')").wait_for()
    nearest = page.locator(".row").nth(1).get_attribute("data-id")
    page.keyboard.press("j")
    page.locator(f".ls-opened b:text-is('{nearest}')").wait_for()
    page.get_by_role("button", name="All examples again").click()
    page.get_by_text("The 60 examples listed").wait_for()


def test_a_key_flags_the_open_example_and_takes_the_flag_away(page: Any, full: Server) -> None:
    run = load_workspace(full.workspace).runs()[0]
    _open(page, full, "example=eval-011")
    page.get_by_role("button", name="Flag Shortcut F").wait_for()
    page.keyboard.press("f")
    page.locator(".row[data-id=eval-011] .noted:text-is('flag')").wait_for()
    page.get_by_text("flagged 1").wait_for()
    assert read_flags(run).of("reply") == {"eval-011"}
    page.keyboard.press("f")
    page.get_by_text("flagged 1").wait_for(state="detached")
    assert read_flags(run).of("reply") == frozenset()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1280, "dark")])
def test_panes_beside_each_other_are_equally_high_and_nothing_is_cut_off(
    page: Any, full: Server, width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 1800})
    page.emulate_media(color_scheme=scheme)
    _open(page, full, "metric=rouge_l&feature=language")
    page.locator(".ls-rail-block[data-variant=qv-r8]").wait_for()
    first, second = (page.locator(f".st-key-pane-{name}") for name in ("baseline", "qv-r8"))
    page.locator(".st-key-gain-qv-r8 .piece").first.wait_for()
    heights = [round(one.bounding_box()["height"]) for one in (first, second)]
    assert abs(heights[0] - heights[1]) <= 1, heights
    blocks = page.locator(".ls-rail .ls-foot, .ls-rail .ls-score, .st-key-examples-main .ls-foot")
    assert blocks.evaluate_all(CUT_OFF) == []
    keep_picture(page, f"example-features-{width}-{scheme}.png")
