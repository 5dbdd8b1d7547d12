"""The pictures behind a metric in a real browser: a click filters the list, a reload shows the same, a link opens the examples."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.compare import example_scores
from core.diagnostics.paired import paired_differences
from core.store import Run
from tests.browser.conftest import Server, expect, keep_picture, settled

pytestmark = pytest.mark.browser


def run_of(server: Server) -> Run:
    return Run(next(path for path in (server.workspace / "runs").iterdir() if path.is_dir()))


def opened(page: Any, server: Server, query: str) -> Any:
    page.goto(f"{server.address}/compare?{query}")
    settled(page)
    return page


def picked(page: Any) -> list[Any]:
    return json.loads(parse_qs(urlsplit(page.url).query)["pick"][0])


def click_middle(page: Any, mark: Any) -> None:
    """Click in the middle of a mark; plotly listens to the plot, not to the mark."""
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(200)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_a_bar_lists_its_examples_and_a_reload_shows_the_same(full: Server, page: Any) -> None:
    opened(page, full, "metric=reply/rouge_l&variant=qv-r8")
    bars = page.locator(".st-key-chart-differences-by-example .barlayer .point path")
    bars.first.wait_for()
    found = paired_differences(example_scores(run_of(full), "reply", "rouge_l"), "baseline", "qv-r8")
    at = int(found.counts.argmax())
    click_middle(page, bars.nth(at))
    sentence = page.locator(".st-key-picked p", has_text="Open them on Examples")
    sentence.wait_for()
    assert picked(page)[:4] == ["difference", "rouge_l", "qv-r8", "baseline"]
    assert picked(page)[4] == pytest.approx([found.edges[at], found.edges[at + 1]])
    n = int(found.counts[at])
    expect(sentence).to_contain_text(f"{n} example", use_inner_text=True)
    rows = page.locator(".st-key-picked tr.pick")
    rows.first.wait_for()
    expect(rows).to_have_count(min(n, 10))
    before = rows.all_inner_texts()
    page.reload()
    page.locator(".st-key-picked tr.pick").first.wait_for()
    assert page.locator(".st-key-picked tr.pick").all_inner_texts() == before
    keep_picture(page, "compare-picked-1440-light.png")
    page.get_by_text("Open them on Examples").click()
    page.get_by_text("Picked on Compare: ").wait_for()
    assert urlsplit(page.url).path == "/examples" and picked(page)[0] == "difference"
    page.get_by_text(f"n = {n} of 60 examples").wait_for()


def test_a_row_of_the_list_opens_that_example_within_the_filter(full: Server, page: Any) -> None:
    pick = json.dumps(["outcome", "rouge_l", "qv-r8", "baseline", [], ["win"]], separators=(",", ":"))
    opened(page, full, f"metric=reply/rouge_l&variant=qv-r8&picture=outcomes&pick={pick}")
    row = page.locator(".st-key-picked tr.pick").nth(2)
    row.wait_for()
    name = row.get_attribute("data-id")
    row.click()
    page.locator(".ls-opened", has_text=name).wait_for()
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["example"] == [name] and asked["pick"] == [pick] and asked["metric"] == ["rouge_l"]
    page.get_by_role("button", name="Take the filter away").click()
    page.get_by_text("n = 60 of 60 examples").wait_for()
    assert "pick" not in parse_qs(urlsplit(page.url).query)


def test_a_box_in_the_scatter_lists_the_examples_inside(full: Server, page: Any) -> None:
    opened(page, full, "metric=reply/rouge_l&variant=qv-r8&box=true")
    plot = page.locator(".st-key-chart-examples .nsewdrag")
    plot.wait_for()
    box = plot.bounding_box()
    left, top, width, height = (box[side] for side in ("x", "y", "width", "height"))
    page.mouse.move(left + 3, top + 3)
    page.mouse.down()
    page.mouse.move(left + width / 2, top + height / 2, steps=8)
    page.mouse.up()
    sentence = page.locator(".st-key-picked p", has_text="ROUGE-L between")
    sentence.wait_for()
    kind, _, variant, reference, (x0, x1, y0, y1), _ = picked(page)
    scores = example_scores(run_of(full), "reply", "rouge_l")
    inside = scores[reference].between(x0, x1) & scores[variant].between(y0, y1)
    assert (
        kind == "region" and sentence.inner_text().startswith(f"{int(inside.sum())} example") and 0 < inside.sum() < 60
    )


def test_a_point_of_the_lengths_opens_its_example_and_a_diamond_lists_its_group(full: Server, page: Any) -> None:
    opened(page, full, "metric=reply/rouge_l&variant=qv-r8&picture=length")
    traces = page.locator(".st-key-chart-length .scatterlayer .trace")
    traces.nth(3).wait_for()
    click_middle(page, traces.nth(3).locator("path.point").first)
    page.locator(".st-key-picked p", has_text="tokens").wait_for()
    assert picked(page)[0] == "length"
    click_middle(page, traces.nth(1).locator("path.point").nth(5))
    page.wait_for_url("**/examples**")
    assert parse_qs(urlsplit(page.url).query)["example"][0].startswith("eval-")
