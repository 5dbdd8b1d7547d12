"""The first line that a person reads of an inspected file."""

from __future__ import annotations

from core.data.inspect.records import FORMATS, Scan


def headline(scan: Scan, *, evaluation: bool = False) -> str:
    """Return rows, format and faults in one clause, such as ``416 rows of plain text (`text`), 3 faults on 2 lines``.

    Args:
        scan: what was found.
        evaluation: the file is for evaluation alone, and so may have fields of its own.
    """
    faults = "no faults"
    if scan.fault_total:
        place = {"json": "item", "parquet": "row", "arrow": "row"}.get(scan.kind, "line")
        faults = f"{_number(scan.fault_total, 'fault')} on {_number(scan.faulty_lines, place)}"
    if not scan.rows:
        return f"No row that can be read, {faults}"
    own = evaluation and scan.format.name == "unknown"
    form = "with fields of their own, for evaluation" if own else f"of {FORMATS[scan.format.name]}"
    return f"{_number(scan.rows, 'row')} {form}, {faults}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
