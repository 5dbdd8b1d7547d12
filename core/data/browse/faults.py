"""Page through all faults of an inspected file, those that were spilled to disk included."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from core.data.inspect.ledger import read_faults
from core.data.inspect.records import Fault, Scan


def faults_of(scan: Scan, code: str | None = None) -> Iterator[Fault]:
    """Yield the faults in the order of their lines, all of them or those of one code.

    Raises:
        OSError: the file with all faults was taken out of the cache.
    """
    found = iter(scan.faults) if scan.faults_file is None else read_faults(scan.faults_file)
    return found if code is None else (fault for fault in found if fault.code == code)


def fault_page(scan: Scan, code: str | None, page: int, size: int) -> list[Fault]:
    """Return one page of the faults; ``page`` counts from 1."""
    return list(islice(faults_of(scan, code), (page - 1) * size, page * size))


def faults_at(scan: Scan, line: int, most: int = 20) -> list[Fault]:
    """Return the first faults of one line."""
    found: list[Fault] = []
    for fault in faults_of(scan):
        if fault.line > line or len(found) == most:
            break
        if fault.line == line:
            found.append(fault)
    return found


def faulty_lines(scan: Scan, code: str | None) -> np.ndarray:
    """Return the lines with a fault, or with one of a code: int64, ascending."""
    return np.unique(np.fromiter((fault.line for fault in faults_of(scan, code)), dtype=np.int64))
