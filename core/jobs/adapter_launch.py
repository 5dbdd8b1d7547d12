"""Start, watch and stop the process that measures an adapter. Imports no torch: pages and command line use it."""

from __future__ import annotations

from core.adapters.kept import AdapterJob, write_request
from core.errors import InputError
from core.jobs.launch import folder_log_tail, spawn, stop
from core.jobs.status import RunStatus, folder_status


def start_job(job: AdapterJob) -> int:
    """Start a measurement and return its worker's process id; the worker survives a closed browser.

    Raises:
        InputError: it is being measured already, or its folder cannot be written.
    """
    status = job_status(job)
    if status is not None and status.active:
        raise InputError(f"This is being measured already (process {status.pid}).")
    try:
        job.folder.mkdir(parents=True, exist_ok=True)
        for name in ("status.json", "log.txt"):
            (job.folder / name).unlink(missing_ok=True)
        write_request(job)
        return spawn(job.kind, job.folder)
    except OSError as error:
        raise InputError(
            f"{job.folder}: cannot be written ({error.strerror}). Free some space, or make the workspace writable."
        ) from None


def job_status(job: AdapterJob) -> RunStatus | None:
    """Return how a measurement is getting on; None where none was started, or where its status cannot be read."""
    try:
        return folder_status(job.folder)
    except InputError:
        return None


def stop_job(job: AdapterJob) -> None:
    """Stop a measurement; nothing of it is kept."""
    stop(job.folder, "Stopped. Measure again to have the numbers.")


def job_log_tail(job: AdapterJob) -> str:
    """Return the last lines that a measurement's worker wrote."""
    return folder_log_tail(job.folder)
