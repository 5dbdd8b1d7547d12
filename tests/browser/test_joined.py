"""Several runs joined, in a real browser: chosen in the bar, kept in the address, carried from page to page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import CUT_OFF, Server, expect, keep_picture, served, settled
from tests.joined_runs import cut
from tests.synthetic import make_run, make_workspace

pytestmark = pytest.mark.browser

_FITS = "(() => { const e = document.querySelector('[data-testid=stMain]'); return e.scrollWidth <= e.clientWidth })()"


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place: Path = tmp_path_factory.mktemp("joined")
    folder = make_workspace(place / "workspace", n=8, runs=False)
    whole = make_run(place / "whole", n=20, tasks=("category", "reply"))
    cut(whole, folder / "runs" / "monday", ["qv-r8"])
    cut(whole, folder / "runs" / "tuesday", ["all-r8"])
    cut(whole, folder / "runs" / "wednesday", ["qv-r2"], environment=lambda known: known.update(dtype="bfloat16"))
    with served(folder) as server:
        yield server


def test_runs_are_joined_in_the_bar_and_stay_so_on_other_pages(joined: Server, page: Any) -> None:
    page.goto(f"{joined.address}/compare?run=monday")
    settled(page)
    head = page.locator(".st-key-chart-comparison table.wide thead th")
    expect(head).to_have_count(3)
    page.get_by_text("1 other run cannot be joined with monday").click()
    page.get_by_text("the precision differs: bfloat16 in wednesday").wait_for()
    page.locator(".st-key-join-picked input").click()
    page.get_by_role("option", name="tuesday").click()
    expect(head).to_have_count(4)
    expect(head.nth(3)).to_contain_text("all-r8")
    page.wait_for_function("new URLSearchParams(location.search).get('join') === 'tuesday'")
    page.get_by_text("monday and tuesday are joined by example: category, reply (n = 20).").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Examples").click()
    expect(page.locator("[class*=st-key-pane-]")).to_have_count(3)
    page.wait_for_function("new URLSearchParams(location.search).get('join') === 'tuesday'")
    page.get_by_role("link", name="Overview").click()
    expect(page.locator(".card")).to_have_count(2)
    page.wait_for_function("new URLSearchParams(location.search).get('join') === 'tuesday'")


def test_metrics_are_chosen_and_families_folded(joined: Server, page: Any) -> None:
    page.goto(f"{joined.address}/compare?run=monday&join=tuesday")
    settled(page)
    rows = page.locator(".st-key-chart-comparison tr[data-key]")
    expect(rows).to_have_count(7)
    page.get_by_role("link", name="▾ likelihood").click()
    expect(rows).to_have_count(6)
    page.get_by_role("link", name="▸ likelihood (1 metric)").click()
    expect(rows).to_have_count(7)
    page.get_by_role("button", name=re.compile("Choose metrics")).click()
    page.locator(".st-key-compare-rows-chosen input").click()
    page.get_by_role("option", name="reply: BLEU").click()
    expect(rows).to_have_count(1)
    page.wait_for_function("new URLSearchParams(location.search).get('rows') === 'reply/bleu'")


def test_joined_runs_fit_the_page(joined: Server, page: Any) -> None:
    page.goto(f"{joined.address}/compare?run=monday&join=tuesday,wednesday")
    page.get_by_text("monday and tuesday are joined by example").wait_for()
    page.get_by_role("status").get_by_text("wednesday cannot be joined with monday").wait_for()
    page.locator(".st-key-chart-comparison tr[data-key]").first.wait_for()
    for width in (1440, 1920, 1280):
        page.set_viewport_size({"width": width, "height": 1400})
        settled(page)
        page.wait_for_function(_FITS)
        assert page.locator(".ls-holder").evaluate_all(CUT_OFF) == []
        keep_picture(page, f"joined-{width}.png")
