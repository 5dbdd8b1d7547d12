"""A report's tables as an XLSX workbook: a sheet a table, numbers as numbers, and every text as text."""

from __future__ import annotations

import io
import math
from numbers import Real
from typing import Any

import pandas as pd

from core.report.document import Report, Table

_LONGEST_NAME, _LONGEST_TEXT = 31, 32_767
"""What the format allows for the name of a sheet, and for a cell."""
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", "-"))


def to_xlsx(report: Report) -> bytes:
    """Return the workbook: first a sheet that says what it is, then the unrounded data of each table.

    No text is ever a formula or a link, whatever it begins with; a missing value is an empty cell.
    """
    import xlsxwriter

    sink = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(sink, options) as book:
        bold = book.add_format({"bold": True})
        names: set[str] = set()
        about = book.add_worksheet(_sheet_name("about", names))
        sheets = [(table, _sheet_name(table.name, names)) for table in report.tables]
        _about(about, report, sheets, bold)
        for table, name in sheets:
            _fill(book.add_worksheet(name), table.data, bold)
    return sink.getvalue()


def _about(sheet: Any, report: Report, sheets: list[tuple[Table, str]], bold: Any) -> None:
    facts = [
        ("Report", report.title),
        ("Run", report.run_id),
        ("Made", report.created),
        ("Finding", report.lead),
        ("", report.footnote),
    ]
    for line, (name, text) in enumerate([*facts, ("", ""), ("Sheet", "Holds")]):
        sheet.write_string(line, 0, name, bold)
        sheet.write_string(line, 1, text[:_LONGEST_TEXT])
    for line, (table, name) in enumerate(sheets, start=len(facts) + 2):
        sheet.write_string(line, 0, name)
        sheet.write_string(line, 1, " ".join(filter(None, (f"{table.title}.", table.note)))[:_LONGEST_TEXT])
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 110)


def _fill(sheet: Any, data: pd.DataFrame, bold: Any) -> None:
    for column, name in enumerate(data.columns):
        sheet.write_string(0, column, str(name), bold)
    for line, row in enumerate(data.itertuples(index=False, name=None), start=1):
        for column, cell in enumerate(row):
            _write(sheet, line, column, cell)
    sheet.freeze_panes(1, 0)
    sheet.autofit(300)


def _write(sheet: Any, line: int, column: int, cell: Any) -> None:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)) or cell is pd.NA:
        return
    if isinstance(cell, bool):
        sheet.write_boolean(line, column, cell)
    elif isinstance(cell, Real) and math.isfinite(float(cell)):
        sheet.write_number(line, column, float(cell))
    else:
        sheet.write_string(line, column, str(cell)[:_LONGEST_TEXT])


def _sheet_name(name: str, taken: set[str]) -> str:
    """Return a name that the format allows and no other sheet has; names differ in more than case."""
    plain = (name.translate(_FORBIDDEN).strip("'") or "table")[:_LONGEST_NAME]
    found, number = plain, 2
    while found.lower() in taken:
        end = f"-{number}"
        found, number = plain[: _LONGEST_NAME - len(end)] + end, number + 1
    taken.add(found.lower())
    return found
