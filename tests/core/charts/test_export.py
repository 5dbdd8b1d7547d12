"""Files that come out of charts and tables."""

from __future__ import annotations

import csv
import io
import os
import threading

import kaleido
import pandas as pd
import plotly.graph_objects as go
import pytest
from kaleido.errors import ChromeNotFoundError

from core.charts import export
from core.charts.export import Picture, browser_found, to_csv, to_html, to_image, to_images
from core.charts.tables import comparison_table, verdict_table
from core.errors import RunError
from tests.comparisons import make_comparison


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-2+3", "@cmd", "\tx", "\r=1", "\n=1", "\uff1d1+1"])
def test_text_that_a_spreadsheet_would_execute_gets_an_apostrophe(text: str) -> None:
    assert read(to_csv(pd.DataFrame({"a": [text]})))[1] == ["'" + text]


def test_numbers_stay_numbers_and_missing_is_empty() -> None:
    table = pd.DataFrame({"x": [-0.25, None], "n": [3, 4], "text": ["plain, with a comma", None]})
    assert read(to_csv(table)) == [["x", "n", "text"], ["-0.25", "3", "plain, with a comma"], ["", "4", ""]]


def test_a_heading_cannot_be_a_formula_either() -> None:
    assert read(to_csv(pd.DataFrame({"=x": [1]})))[0] == ["'=x"]


def test_comparison_table_holds_unrounded_numbers_in_the_metrics_own_unit() -> None:
    table = comparison_table(make_comparison())
    row = table[(table.task == "category") & (table.metric == "accuracy") & (table.variant == "qv-r8")].iloc[0]
    assert (row.value, row.difference, row.verdict, row.n) == (0.75, 0.25, "better", 160)
    baseline = table[(table.variant == "baseline")].iloc[0]
    assert pd.isna(baseline.difference) and pd.isna(baseline.verdict)
    assert verdict_table(make_comparison()).loc[3, "qv-r2"] == "same"


def test_html_needs_no_other_file_and_its_title_is_text() -> None:
    page = to_html(go.Figure(go.Scatter(x=[1], y=[2])), "<script>alert(1)</script>")
    assert "<title>&lt;script&gt;" in page and "<script>alert(1)" not in page
    assert 'src="http' not in page and len(page) > 1_000_000


def test_without_a_browser_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise ChromeNotFoundError

    monkeypatch.setattr(kaleido, "calc_fig_sync", fail)
    with pytest.raises(RunError, match="apt install chromium"):
        to_image(go.Figure(), "png")


def test_figures_are_rendered_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = 0, 0
    step = threading.Event()

    def slow(*_: object, **__: object) -> bytes:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        step.wait(0.02)
        inside -= 1
        return b""

    monkeypatch.setattr(kaleido, "calc_fig_sync", slow)
    threads = [threading.Thread(target=to_image, args=(go.Figure(), "png")) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1 and not export._RENDERER.locked()


@pytest.mark.skipif(not browser_found() and "CI" not in os.environ, reason="no Chrome or Chromium")
def test_png_and_svg_of_a_real_figure() -> None:
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]), {"title": "a title", "height": 300})
    png = to_image(figure, "png", width=400, scale=2)
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and int.from_bytes(png[16:20]) == 800 and int.from_bytes(png[20:24]) == 600
    svg = to_image(figure, "svg", width=400).decode()
    assert svg.startswith("<svg") and "a title" in svg


@pytest.mark.skipif(not browser_found() and "CI" not in os.environ, reason="no Chrome or Chromium")
def test_one_open_browser_draws_several_kinds_in_their_order_and_is_closed() -> None:
    figures = [go.Figure(go.Scatter(x=[1, 2], y=[3, 4]), {"title": f"title {number}"}) for number in range(3)]
    first, second, third = to_images(
        [Picture(figures[0], "svg"), Picture(figures[1], "pdf"), Picture(figures[2], "svg")]
    )
    assert b"title 0" in first and b"title 2" in third
    assert second.startswith(b"%PDF")
    assert not export._RENDERER.locked()


def test_without_a_browser_several_pictures_are_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "browser_found", lambda: False)
    with pytest.raises(RunError, match="apt install chromium"):
        list(to_images([Picture(go.Figure(), "svg")]))
    assert not export._RENDERER.locked()
