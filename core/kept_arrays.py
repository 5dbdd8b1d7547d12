"""Arrays and the words that belong to them in one file of ``derived/``; what is damaged reads as not there."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.store import write_atomically

_WORDS = "words"


@dataclass(frozen=True)
class KeptArrays:
    """What one file holds."""

    words: Any
    """JSON."""
    arrays: Mapping[str, np.ndarray]


def save_arrays(path: Path, words: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays, compressed; a folder that cannot be written (a read-only copy, a full disk) loses speed, nothing else.

    Args:
        path: of the file.
        words: anything that JSON holds.
        arrays: by name, any but ``words``.
    """
    sink = io.BytesIO()
    everything: dict[str, Any] = {_WORDS: np.frombuffer(json.dumps(words).encode(), dtype=np.uint8), **arrays}
    np.savez_compressed(sink, **everything)
    with suppress(OSError):
        write_atomically(path, sink.getvalue())


def load_arrays(path: Path) -> KeptArrays | None:
    """Return what is kept in a file, or None where it is missing or damaged (the archive holds checksums)."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files if name != _WORDS}
            return KeptArrays(json.loads(kept[_WORDS].tobytes()), arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        return None
