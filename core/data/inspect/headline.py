"""The first line that a person reads of an inspected file."""

from __future__ import annotations

from core.data.inspect.records import FORMATS, Scan


def headline(scan: Scan) -> str:
    """Return rows, format and faults in one clause, such as ``416 rows of plain text (`text`), 3 faults on 2 lines``."""
    faults = "no faults"
    if scan.fault_total:
        place = {"json": "item", "parquet": "row", "arrow": "row"}.get(scan.kind, "line")
        faults = f"{_number(scan.fault_total, 'fault')} on {_number(scan.faulty_lines, place)}"
    return f"{_number(scan.rows, 'row')} of {FORMATS[scan.format.name]}, {faults}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
