"""Write a new JSON Lines file beside a dataset: never over anything, and never half."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import InputError

ENDINGS = (".jsonl", ".ndjson")


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that must not exist yet; where the work fails, it is gone again.

    Raises:
        InputError: the file exists, its folder does not, or its ending is not that of JSON Lines.
    """
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path}: the copy is JSON Lines; expected a name that ends in {' or '.join(ENDINGS)}.")
    try:
        stream = path.open("xb")
    except FileExistsError:
        raise InputError(
            f"{path}: there is such a file already, and nothing is written over. Give another name."
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}).") from None
    try:
        with stream:
            yield stream
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def json_line(row: dict[str, Any]) -> bytes:
    """Return a row as one line of JSON with its line end."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"
