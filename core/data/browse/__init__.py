"""A data set's rows as a table on disk that finds, pages and opens them at once, however many there are."""

from __future__ import annotations

from core.data.browse.build import row_table
from core.data.browse.faults import fault_page, faults_at, faults_of, faulty_lines
from core.data.browse.table import OpenRow, RowLine, RowTable, parse_ranges, range_text

__all__ = [
    "OpenRow",
    "RowLine",
    "RowTable",
    "fault_page",
    "faults_at",
    "faults_of",
    "faulty_lines",
    "parse_ranges",
    "range_text",
    "row_table",
]
