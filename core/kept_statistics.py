"""Statistics in a file: the narrowest numbers that hold them exactly, compressed; what is damaged reads as not there."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.metrics.metric import Statistics
from core.store import write_atomically

_NARROW = {"uint8": 2**8 - 1, "uint16": 2**16 - 1, "uint32": 2**32 - 1, "float32": None}
"""With the highest number of each, None for the one that is not of whole numbers from 0."""


def narrowed(array: np.ndarray) -> np.ndarray:
    """Return an array in the narrowest of a few types that holds every number exactly; counts mostly fit a byte or two."""
    if not array.size or not np.isfinite(array).all():
        return array
    for kind, highest in _NARROW.items():
        if highest is not None and (array.min() < 0 or array.max() > highest):
            continue
        with np.errstate(over="ignore"):
            narrow = array.astype(kind)
        # Minus zero is lost by whole numbers: it equals zero, and no sum can tell.
        if np.array_equal(narrow, array):
            return narrow
    return array


def save_statistics(path: Path, statistics: Statistics) -> None:
    """Write statistics; a folder that cannot be written (a read-only copy, a full disk) loses speed, nothing else."""
    told = list(dict.fromkeys(statistics.reasons))
    code = {reason: number for number, reason in enumerate(told)}
    reasons = np.array([code[reason] for reason in statistics.reasons], dtype=np.uint32)
    words = {"reasons": told, "signature": statistics.signature, "labels": statistics.labels}
    sink = io.BytesIO()
    np.savez_compressed(
        sink,
        array=narrowed(statistics.array),
        missing=statistics.missing,
        reasons=reasons,
        words=np.frombuffer(json.dumps(words).encode(), dtype=np.uint8),
    )
    with suppress(OSError):
        write_atomically(path, sink.getvalue())


@lru_cache(maxsize=4)
def _all_the_same(reason: str | None, n: int) -> tuple[str | None, ...]:
    """Return a reason n times; of a large run, where nothing is missing, all statistics share the one tuple."""
    return (reason,) * n


def load_statistics(path: Path) -> Statistics | None:
    """Return what is kept in a file, or None where it is missing or damaged (the archive holds checksums)."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            words = json.loads(kept["words"].tobytes())
            array, missing, codes = kept["array"], kept["missing"], kept["reasons"]
            if array.ndim != 2 or not len(array) == len(missing) == len(codes):
                return None
            told = words["reasons"]
            reasons = (
                _all_the_same(told[0], len(codes)) if len(told) == 1 else tuple(told[code] for code in codes.tolist())
            )
            return Statistics(array, missing, reasons, words["signature"], tuple(words["labels"]))
    except (
        OSError, ValueError, KeyError, IndexError, EOFError, TypeError, zipfile.BadZipFile, zlib.error, NotImplementedError,
    ):  # fmt: skip
        return None
