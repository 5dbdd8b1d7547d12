"""What a worker found of a user's own metric, kept in the run's ``derived/own/``: plain JSON that needs no code to be shown.

A result belongs to the evidence, the metric's files, the reference and the settings of the comparison that it was made for. Of a
run that was copied away from its workspace the newest result for the same evidence is shown, whatever the file was.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.contrasts import Measured
from core.derived import StatisticsReader, task_identity
from core.families import declared_family
from core.metrics.metric import Unit
from core.store import Run, write_atomically

FORMAT = 1
"""Raised when the same metric and evidence come to give another result; what was kept before is then not read."""


@dataclass(frozen=True)
class OwnScores:
    """What each example of a task scores alone."""

    test: str
    """What the value of all is: a ``rate`` or ``mean`` of these numbers, or a number of the whole ``corpus``."""
    ids: tuple[str, ...]
    values: dict[str, tuple[float | None, ...]]
    """Of each variant, in the order of ``ids``; None where an example is missing or has no value of its own."""


@dataclass(frozen=True)
class OwnTask:
    """One task's rows: what was measured, or why nothing could be."""

    measured: Measured | None
    fault: str | None
    """``metrics/politeness.py, line 7: ZeroDivisionError: division by zero``."""
    scores: OwnScores | None = None
    """None where single examples have no value, and in results of before they were stored."""


@dataclass(frozen=True)
class OwnResult:
    """One metric over all tasks that name it."""

    name: str
    label: str
    higher_is_better: bool
    unit: Unit
    fingerprint: str
    """Of the metric's files (`core.own.files.OwnFile.fingerprint`)."""
    identity: str
    """Of everything else that moves a number, see `identity_of`."""
    computed: str
    """UTC, ISO 8601."""
    tasks: dict[str, OwnTask]

    @property
    def faulty(self) -> bool:
        """Whether a task has no value because of a fault, which another try may not meet."""
        return any(task.fault is not None for task in self.tasks.values())


def own_names(run: Run) -> tuple[str, ...]:
    """Return the own metrics that a run's tasks name, in order."""
    named = dict.fromkeys(name for task in run.spec.clean_tasks.values() for name in task.metrics)
    return tuple(name for name in named if name in run.spec.own_metrics)


def tasks_of(run: Run, name: str) -> tuple[str, ...]:
    """Return the tasks that name a metric."""
    return tuple(task for task, spec in run.spec.clean_tasks.items() if name in spec.metrics)


def identity_of(reader: StatisticsReader, name: str, reference: str) -> str | None:
    """Return a hash of what a metric's result depends on beside its own files; None while the run is not finished."""
    run = reader.run
    if reader.evidence_hash is None:
        return None
    tasks = {task: task_identity(run, task) for task in tasks_of(run, name)}
    content = [
        FORMAT, name, reader.evidence_hash, reference, tasks, run.spec.models.variants, run.spec.level,
        run.spec.settings.seed, declared_family(run.spec),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def folder_of(run: Run) -> Path:
    """Return where the results of a run are kept, and the logs of how they were made."""
    return run.folder / "derived" / "own"


def save_result(run: Run, result: OwnResult) -> None:
    """Keep a result.

    Raises:
        OSError: the folder cannot be written.
        ValueError: a number in it is NaN or infinite.
    """
    # Escaped: an exception's text may hold anything, lone surrogates too.
    content = json.dumps(asdict(result), ensure_ascii=True, allow_nan=False, indent=1)
    write_atomically(_path(run, result), content.encode())


def remove_result(run: Run, result: OwnResult) -> None:
    """Remove a result that was kept."""
    _path(run, result).unlink(missing_ok=True)


def find_result(run: Run, name: str, identity: str, fingerprint: str | None) -> OwnResult | None:
    """Return what is kept of a metric, the newest of several; with ``fingerprint`` only what was made by those files."""
    kept = [_load(path) for path in folder_of(run).glob(f"{name}-*.json")]
    fitting = [
        result for result in kept
        if result is not None and result.name == name and result.identity == identity
        and fingerprint in (None, result.fingerprint)
    ]  # fmt: skip
    return max(fitting, key=lambda result: result.computed, default=None)


def _path(run: Run, result: OwnResult) -> Path:
    key = hashlib.sha256(f"{result.identity}{result.fingerprint}".encode()).hexdigest()
    return folder_of(run) / f"{result.name}-{key[:24]}.json"


def _load(path: Path) -> OwnResult | None:
    """Return what is kept in a file; None where it is damaged, or of another shape."""
    try:
        return _shape().validate_python(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError, RecursionError):
        return None


@cache
def _shape() -> TypeAdapter[OwnResult]:
    return TypeAdapter(OwnResult)
