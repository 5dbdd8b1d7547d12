"""The finished comparison of a run, kept in ``derived/`` so that the first page of a fresh server shows at once.

It is keyed by everything that could change a number: the evidence, the spec, the metrics and their packages, the reference,
and the files beside the evidence. It can be thrown away at any time. What is read back is equal to what was kept, to the last bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.derived import StatisticsReader, metric_identity
from core.metrics.registry import find_metric
from core.own.rows import OwnRows
from core.results import Comparison
from core.store import Run, write_atomically

ENGINE_FORMAT = 6
"""Raised whenever the same statistics come to give another comparison; what was kept before is then not read."""
_BESIDE = ("probe.json", "preflight.json", "environment.json")
"""Files of a run that a comparison reads beside the evidence."""


def kept_comparison(reader: StatisticsReader, reference: str, compute: Callable[[], Comparison]) -> Comparison:
    """Return the comparison of all examples of a run, from ``derived/`` if it is there, else computed and kept.

    Args:
        reader: of the run; nothing is kept of one that goes on.
        reference: the variant that is compared with.
        compute: makes the comparison.
    """
    path = _path(reader, reference)
    kept = None if path is None else _load(path)
    if kept is not None:
        return kept
    made = compute()
    if path is not None:
        # A folder that cannot be written (a read-only copy, a full disk) loses speed, nothing else.
        with suppress(OSError):
            write_atomically(path, json.dumps(asdict(made), ensure_ascii=False, allow_nan=False).encode())
    return made


def is_kept(reader: StatisticsReader, reference: str) -> bool:
    """Tell whether `kept_comparison` will find a comparison, without reading it."""
    path = _path(reader, reference)
    return path is not None and path.is_file()


def _path(reader: StatisticsReader, reference: str) -> Path | None:
    run = reader.run
    if reader.evidence_hash is None:
        return None
    names = {name for task in run.spec.tasks.values() for name in task.metrics}
    metrics = [None if (metric := find_metric(name)) is None else metric_identity(metric) for name in sorted(names)]
    engine = [ENGINE_FORMAT, version("numpy"), version("scipy")]
    identity = [
        engine,
        run.id,
        reader.evidence_hash,
        run.spec.model_dump(mode="json", exclude_defaults=True),
        metrics,
        reference,
        _beside(run),
        OwnRows(reader, reference).state,
    ]
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return run.folder / "derived" / f"comparison-{key[:24]}.json"


def _beside(run: Run) -> list[str | None]:
    paths = [run.folder / name for name in _BESIDE]
    return [hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None for path in paths]


def _load(path: Path) -> Comparison | None:
    """Return what is kept in a file; None where it is missing, damaged, or of another shape."""
    try:
        return _shape().validate_python(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError, RecursionError):
        return None


@cache
def _shape() -> TypeAdapter[Comparison]:
    return TypeAdapter(Comparison)
