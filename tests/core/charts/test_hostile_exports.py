"""What is exported holds every hostile text as it is, and nothing that a spreadsheet would execute or a page would run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from core.charts.confusion import confusion_data, confusion_figure
from core.charts.export import to_csv, to_html
from core.charts.rating_tables import agreement_table, raters_table
from core.charts.tables import aggregates_table, comparison_table, examples_table, gains_table
from core.diagnostics.answers import Answers, confusion_pair
from core.example_aggregates import Aggregate
from core.examples import ExampleTable, Selection
from core.gains import Gain, GainStrip
from tests.comparisons import make_comparison
from tests.core.report.made import HOSTILE
from tests.made_analyses import agreement, analysis, quality, rater

TEXTS = (*HOSTILE.values(), "=1+1", "+SUM(A1)", "-2+3", "@cmd", "\t=1", "\r=1", "\n=1")
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def _labels() -> pd.DataFrame:
    row = make_comparison().rows[0]
    rows = tuple(replace(row, part=text, label=text, caution=text) for text in TEXTS)
    return comparison_table(replace(make_comparison(), rows=rows))


def _examples() -> pd.DataFrame:
    n = len(TEXTS)
    table = ExampleTable("reply", pd.Index(TEXTS), TEXTS, np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int64))
    none = np.full(n, np.nan)
    chosen = Selection(np.arange(n), {}, none, np.full(n, "same", dtype=object))
    return examples_table(table, chosen, pd.DataFrame({"baseline": none}))


def _confused() -> pd.DataFrame:
    return confusion_data(_pair(), "baseline", "qv-r8")


def _pair():
    labels = TEXTS[:15]
    answers = Answers(tuple(map(str, range(len(labels)))), labels, labels)
    return confusion_pair(answers, answers, labels)


def _raters() -> pd.DataFrame:
    some = analysis(
        agreement=tuple(agreement(text, (text, "Ben")) for text in TEXTS),
        quality=quality(*(rater(text) for text in TEXTS)),
    )
    return pd.concat([agreement_table(some), raters_table(some)])


MADE: dict[str, Callable[[], pd.DataFrame]] = {
    "comparison": _labels, "examples": _examples, "confusion": _confused, "ratings": _raters,
    "averages": lambda: aggregates_table([Aggregate("qv-r8", 1, 0.5, 3.0, ((text, 1),)) for text in TEXTS]),
    "gain": lambda: gains_table(GainStrip(tuple(Gain(text, 0.1, -1.0, -1.1, 1) for text in TEXTS), 1.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(MADE))
def test_csv_gives_back_every_text_and_no_formula(name: str) -> None:
    table = MADE[name]()
    before = csv.field_size_limit(1_000_000)
    try:
        head, *rows = csv.reader(io.StringIO(to_csv(table), newline=""))
    finally:
        csv.field_size_limit(before)
    assert len(rows) == len(table) and len(head) == len(table.columns)
    seen = set()
    for read, row in zip(rows, table.itertuples(index=False, name=None), strict=True):
        for cell, value in zip(read, row, strict=True):
            if isinstance(value, str):
                assert cell == (f"'{value}" if value.startswith(FORMULAS) else value)
                seen |= {text for text in TEXTS if text in value}
            elif isinstance(value, float) and not np.isnan(value):
                assert float(cell) == value
    assert len(seen) >= 14, "the texts are in the table"


class _Scripts(HTMLParser):
    """Collects the elements of a page, and what stands in its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += "" if self.tags and self.tags[-1] in ("script", "style") else data


def test_the_page_of_one_chart_has_no_element_of_a_text() -> None:
    plain = confusion_figure(_pair(), "baseline", "qv-r8", "title")
    pages = [
        to_html(plain, "title"),
        to_html(confusion_figure(_pair(), "baseline", "qv-r8", HOSTILE["script"]), HOSTILE["closing"]),
    ]
    parsed = [_Scripts() for _ in pages]
    for parser, page in zip(parsed, pages, strict=True):
        parser.feed(page)
    assert parsed[0].tags == parsed[1].tags and "img" not in parsed[0].tags
    assert pages[1].count("<!-- <script>") == 0 and HOSTILE["script"] not in pages[1]


def test_labels_of_a_figure_are_text_for_plotly() -> None:
    shown = json.loads(str(confusion_figure(_pair(), "baseline", "qv-r8", HOSTILE["script"]).to_json()))
    texts = [
        *shown["layout"]["yaxis"]["ticktext"],
        *(text for trace in shown["data"] for text in trace.get("hovertext") or ()),
    ]
    assert texts and all("<script" not in text and "<img" not in text and "$" not in text for text in texts)
    assert "<script" not in shown["layout"]["title"]["text"]
