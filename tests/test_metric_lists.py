"""The lists of metrics in README and docs/metrics.md are those of the code."""

from __future__ import annotations

import sys

import pytest

from benchmarks import metric_tables
from core.metrics.catalogue import Entry, entries

UPDATE = "out of date: run `python -m benchmarks.metric_tables`"


def test_both_lists_are_what_the_code_gives() -> None:
    readme = metric_tables.README.read_text(encoding="utf-8")
    assert metric_tables.BEGIN in readme and metric_tables.END in readme
    assert metric_tables.expected_readme(readme) == readme, f"README.md is {UPDATE}"
    assert metric_tables.DOCS.read_text(encoding="utf-8") == metric_tables.document(), f"docs/metrics.md is {UPDATE}"


@pytest.mark.parametrize("text", [metric_tables.readme_table(), metric_tables.document()], ids=["readme", "document"])
def test_no_metric_is_left_out(text: str) -> None:
    assert [entry.name for entry in entries() if f"`{entry.name}`" not in text] == []


def test_the_check_notices_a_metric_that_was_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["metric_tables", "--check"])
    assert metric_tables.main() == 0
    listed = [entry for entry in entries() if entry.name != "mse"]

    def one_fewer() -> list[Entry]:
        return listed

    monkeypatch.setattr(metric_tables, "entries", one_fewer)
    assert metric_tables.main() == 1
