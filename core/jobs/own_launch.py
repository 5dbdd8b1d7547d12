"""Starts the processes that compute a run's own metrics and waits for them. Imports no user's code and no torch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from core.derived import StatisticsReader
from core.errors import InputError
from core.own.files import Declaration, OwnFile, own_file, read_declaration
from core.own.results import (
    OwnResult,
    OwnTask,
    find_result,
    folder_of,
    identity_of,
    own_names,
    remove_result,
    save_result,
    tasks_of,
)
from core.own.rows import workspace_of
from core.paths import import_path
from core.store import Run
from core.trust import why_untrusted

TIME_LIMIT = 600
"""Seconds that one metric may take over all tasks of a run."""


def compute_own_metrics(
    run: Run, reference: str | None = None, *, seconds: int = TIME_LIMIT, say: Callable[[str], None] | None = None
) -> tuple[str, ...]:
    """Compute a finished run's own metrics, each in a process of its own, and store them beside the run.

    What is stored already is not computed again, unless it was a fault.

    Args:
        run: finished, and in its workspace.
        reference: the variant to compare with; by default the run's.
        seconds: what each metric may take; then its process is killed.
        say: called with a sentence before each metric.

    Returns:
        A sentence for each metric that has no value for a task: not trusted, faulty, too slow.

    Raises:
        InputError: the run is not finished, lies in no workspace or cannot be written to.
    """
    reference = run.spec.reference if reference is None else reference
    reader = StatisticsReader(run)
    if reader.evidence_hash is None:
        raise InputError(f"{run.folder}: the run is not finished; its own metrics are computed when it is.")
    workspace = workspace_of(run)
    if workspace is None:
        raise InputError(
            f"{run.folder}: the run lies in no workspace (no workspace.yaml two folders up), and the code of its own metrics is not here."
        )
    told: list[str] = []
    for name in own_names(run):
        own = own_file(workspace, name)
        if own is None:
            told.append(f"{name}: metrics/{name}.py is not in the workspace any more; put it back and compute it.")
        elif untrusted := why_untrusted(workspace, own):
            told.append(f"{name}: {untrusted}.")
        else:
            if say is not None:
                say(f"Computing {own.shown}, which may take up to {seconds} seconds")
            told += _Metric(reader, own, reference, seconds).compute()
    return tuple(told)


class _Metric:
    """One own metric on its way through a process."""

    def __init__(self, reader: StatisticsReader, own: OwnFile, reference: str, seconds: int) -> None:
        self._run, self._own, self._reference, self._seconds = reader.run, own, reference, seconds
        self._identity = identity_of(reader, own.name, reference) or ""
        self._fingerprint = own.fingerprint

    def compute(self) -> list[str]:
        """Compute the metric, if it is not there, and return what is missing of it."""
        kept = self._kept()
        if kept is None or kept.faulty:
            if kept is not None:
                remove_result(self._run, kept)
            try:
                read_declaration(self._own)
            except InputError as error:
                kept = self._completed(str(error).removesuffix("."))
            else:
                kept = self._completed(self._why_stopped())
        faults = dict.fromkeys(task.fault for task in kept.tasks.values() if task.fault)
        return [f"{self._own.name}: {fault}" for fault in faults]

    def _kept(self) -> OwnResult | None:
        return find_result(self._run, self._own.name, self._identity, self._fingerprint)

    def _why_stopped(self) -> str:
        """Run the process and return why what it did not store is missing."""
        log_path = folder_of(self._run) / f"{self._own.name}.log"
        try:
            log_path.parent.mkdir(parents=True, exist_ok=True)
            log = log_path.open("wb")
        except OSError as error:
            raise InputError(
                f"{log_path}: cannot be written ({error.strerror}). Make it writable, or free some space."
            ) from None
        words = [
            "own_metrics",
            self._own.name,
            self._reference,
            str(self._seconds + 5),
            str(self._run.folder.resolve()),
        ]
        with log:
            process = subprocess.Popen(
                # -P: the folder that the user stands in is no place to import from.
                [sys.executable, "-P", "-m", "core.jobs.worker", *words],
                env=os.environ | {"PYTHONPATH": import_path(), "PYTHONUNBUFFERED": "1"}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
            try:
                code = process.wait(self._seconds)
            except BaseException as error:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)  # whatever it started goes with it
                process.wait()
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                return f"{self._own.shown}: it took longer than {self._seconds} seconds and was stopped"
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            return f"{self._own.shown}: its process was stopped by {name}; what it printed is in {log_path}"
        last = log_path.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2][:300]
        return f"{self._own.shown}: its process ended without a result ({last or f'exit code {code}'})"

    def _completed(self, why: str) -> OwnResult:
        """Return what was stored, with ``why`` as the fault of every task that is missing; and store that."""
        kept = self._kept() or self._nothing()
        missing = [task for task in tasks_of(self._run, self._own.name) if task not in kept.tasks]
        if missing:
            kept = replace(kept, tasks={**kept.tasks, **{task: OwnTask(None, why) for task in missing}})
            try:
                save_result(self._run, kept)
            except OSError as error:
                raise InputError(
                    f"{folder_of(self._run)}: cannot be written ({error.strerror}). Free some space."
                ) from None
        return kept

    def _nothing(self) -> OwnResult:
        try:
            declared = read_declaration(self._own)
        except InputError:
            declared = Declaration(self._own.name, True, "number", ())
        return OwnResult(
            name=self._own.name, label=declared.label, higher_is_better=declared.higher_is_better, unit=declared.unit,
            fingerprint=self._fingerprint, identity=self._identity, computed=datetime.now(UTC).isoformat(), tasks={},
        )  # fmt: skip
