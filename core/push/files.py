"""Report and tables of a run as files to hand on: the page, and each table as CSV that no spreadsheet executes."""

from __future__ import annotations

from collections.abc import Sequence

from core.charts.export import to_csv
from core.ratings.analysis.results import HumanPreference
from core.report.document import Report
from core.report.gather import gather
from core.report.html import to_html
from core.results import Comparison
from core.store import Run


def report_files(run: Run, comparison: Comparison, people: Sequence[HumanPreference] = ()) -> dict[str, bytes]:
    """Return ``report.html`` and a ``NAME.csv`` for each of its tables."""
    report = gather(run, comparison=comparison, people=people)
    return {"report.html": to_html(report).encode("utf-8", "replace")} | _tables(report)


def _tables(report: Report) -> dict[str, bytes]:
    return {f"{table.name}.csv": to_csv(table.data).encode("utf-8-sig", "replace") for table in report.tables}
