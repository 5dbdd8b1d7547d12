"""The pictures of a task with labels in a real browser, and the order of Overview's cards."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Server, keep_picture, settled
from tests.browser.test_compare_pictures import click_middle, opened, picked

pytestmark = pytest.mark.browser


def test_a_cell_of_the_confusion_matrix_lists_its_examples(full: Server, page: Any) -> None:
    opened(page, full, "metric=category/accuracy&variant=qv-r8&picture=confusion")
    texts = page.locator(
        ".st-key-chart-confusion .xy2 .scatterlayer .text text, .st-key-chart-confusion .x2y2 .scatterlayer .text text"
    )
    texts.first.wait_for()
    shown = texts.first.text_content()
    click_middle(page, texts.first)
    sentence = page.locator(".st-key-picked p", has_text="answered by qv-r8 as")
    sentence.wait_for()
    assert picked(page)[0] == "cell" and sentence.inner_text().startswith(f"{shown} example")
    keep_picture(page, "compare-confusion-1440-light.png")


def test_the_data_behind_the_curves_can_be_taken_along(full: Server, page: Any, tmp_path: Path) -> None:
    opened(page, full, "metric=category/accuracy&variant=qv-r8&picture=curves")
    chart = page.locator(".st-key-chart-curves")
    chart.get_by_text("AUC").first.wait_for()
    chart.get_by_text("Export").click()
    with page.expect_download() as caught:
        page.get_by_text("CSV of the data").click()
    path = tmp_path / "curves.csv"
    caught.value.save_as(path)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert {row["curve"] for row in rows} == {"roc", "pr"} and {row["variant"] for row in rows} == {"baseline", "qv-r8"}
    keep_picture(page, "compare-curves-1440-light.png")


def test_cards_are_sorted_as_the_reader_chooses_and_a_reload_keeps_it(full: Server, page: Any) -> None:
    page.goto(full.address)
    settled(page)
    page.get_by_text("Sorted by metrics better minus metrics worse").wait_for()
    page.get_by_role("combobox", name="Sort by").click()
    page.get_by_role("option", name="Smallest first").click()
    page.get_by_text("Sorted by fewest bytes of weights").wait_for()
    page.reload()
    page.get_by_text("Sorted by fewest bytes of weights").wait_for()
    page.locator(".card").first.wait_for()
    assert page.locator(".card").first.inner_text().startswith("qv-r2"), "the adapter of the lowest rank"
