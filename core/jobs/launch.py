"""Start, watch, stop and resume the process that does a run. Imports no torch: pages and command line use it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.cluster import ClusterChoice
from core.errors import InputError
from core.jobs.status import RunStatus, folder_status, is_worker, read_status, write_status
from core.paths import import_path
from core.store import Run

STOP_SECONDS = 20.0


def start(run: Run, cluster: ClusterChoice | None = None) -> int:
    """Start (or resume) a run's worker and return its process id; with a cluster, its workers compute the run.

    The worker has a session of its own: it survives a closed browser and a stopped dashboard.

    Raises:
        InputError: a worker is at this run already, or the run is finished.
    """
    status = read_status(run)
    if status.active:
        raise InputError(f"{run.folder}: a worker is at this run already (process {status.pid}).")
    if status.state == "finished":
        raise InputError(f"{run.folder}: the run is finished; there is nothing to resume.")
    deadline = time.monotonic() + STOP_SECONDS
    while worker_is_alive(run):  # a cancelled worker needs a moment to stop
        if time.monotonic() > deadline:
            raise InputError(
                f"{run.folder}: the worker that was cancelled (process {status.pid}) is still stopping. Try again."
            )
        time.sleep(0.05)
    return spawn("evaluate", run.folder, status.warnings, choices=() if cluster is None else cluster.arguments())


def spawn(kind: str, folder: Path, warnings: tuple[str, ...] = (), choices: Sequence[str] = ()) -> int:
    """Start the worker that does a job of some kind in a folder, and return its process id."""
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            # -P: the folder that the user stands in is no place to import from.
            [sys.executable, "-P", "-m", "core.jobs.worker", kind, *choices, str(folder.resolve())],
            env=os.environ | {"PYTHONPATH": import_path()}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    noted = folder_status(folder)
    if noted is None or noted.pid != process.pid:  # it was not faster in saying so itself
        write_status(folder, RunStatus("queued", message="Starting the worker", warnings=warnings, pid=process.pid))
    return process.pid


def cancel(run: Run) -> None:
    """Stop a run's worker; what it has finished is kept and `start` goes on from there."""
    stop(run.folder, "Cancelled. What was finished is kept.")


def stop(folder: Path, message: str) -> None:
    """Stop the worker at a folder, if there is one, and leave ``message`` as its status."""
    status = folder_status(folder)
    if status is None or not status.active:
        return
    if status.pid is not None and is_worker(status.pid, folder):
        os.kill(status.pid, signal.SIGTERM)
    write_status(folder, replace(status, state="cancelled", message=message))


def worker_is_alive(run: Run) -> bool:
    """Tell whether the process that last worked at the run still exists (a cancelled one needs a moment to stop)."""
    return is_worker(read_status(run).pid, run.folder)


def log_tail(run: Run, lines: int = 20) -> str:
    """Return the last lines of a run's log, control characters removed."""
    return folder_log_tail(run.folder, lines)


def folder_log_tail(folder: Path, lines: int = 20) -> str:
    """Return the last lines of the log in a folder, as `log_tail`."""
    path = folder / "log.txt"
    if not path.is_file():
        return ""
    with path.open("rb") as log:
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - 64_000))
        text = log.read().decode("utf-8", errors="replace")
    return "\n".join(line.rsplit("\r", 1)[-1] for line in text.splitlines()[-lines:])
