"""Start, watch, stop and resume the process that does a run. Imports no torch: pages and command line use it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from core.errors import InputError
from core.jobs.status import RunStatus, read_status, write_status
from core.store import Run


def start(run: Run) -> int:
    """Start (or resume) a run's worker and return its process id.

    The worker has a session of its own: it survives a closed browser and a stopped dashboard.

    Raises:
        InputError: a worker is at this run already, or the run is finished.
    """
    status = read_status(run)
    if run.read_json("status") is not None and status.active:
        raise InputError(f"{run.folder}: a worker is at this run already (process {status.pid}).")
    if status.state == "finished":
        raise InputError(f"{run.folder}: the run is finished; there is nothing to resume.")
    write_status(run.folder, RunStatus("queued", message="Starting the worker", warnings=status.warnings))
    with (run.folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.jobs.worker", "evaluate", str(run.folder.resolve())],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=run.folder.resolve(),
        )  # fmt: skip
    return process.pid


def cancel(run: Run) -> None:
    """Stop a run's worker; what it has finished is kept and `start` goes on from there."""
    status = read_status(run)
    if status.pid is not None and status.active and _is_our_worker(status.pid):
        os.kill(status.pid, signal.SIGTERM)
    write_status(run.folder, replace(status, state="cancelled", message="Cancelled. What was finished is kept."))


def log_tail(run: Run, lines: int = 20) -> str:
    """Return the last lines of a run's log, control characters removed."""
    path = run.folder / "log.txt"
    if not path.is_file():
        return ""
    with path.open("rb") as log:
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - 64_000))
        text = log.read().decode("utf-8", errors="replace")
    return "\n".join(line.rsplit("\r", 1)[-1] for line in text.splitlines()[-lines:])


def _is_our_worker(pid: int) -> bool:
    """Tell whether the process is a worker of ours: a number alone may have gone to another program since."""
    try:
        return b"core.jobs.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
