"""How a run is getting on: status.json in its folder, written by the worker and read by everybody else."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import psutil

from core.errors import InputError
from core.store import Run, write_json

State = Literal[
    "queued", "loading", "preflight", "running", "probing", "finished", "failed", "cancelled", "interrupted"
]
ACTIVE: frozenset[State] = frozenset({"queued", "loading", "preflight", "running", "probing"})
HEARTBEAT_SECONDS = 2.0
MISSED_SECONDS = 5.0
"""Two missed heartbeats: from then on it is asked whether the worker still exists."""
AHEAD_SECONDS = 60.0
"""As long as this a heartbeat from the future is another machine's clock; further ahead the clock was set back since, and it is
asked as well: or a worker that died would be at work until the clock has caught up."""


@dataclass(frozen=True)
class RunStatus:
    """One moment of a run."""

    state: State
    done: int = 0
    """Examples x variants done, over all tasks."""
    total: int = 0
    reused: int = 0
    """How many of ``done`` were not computed by this worker: found in the cache, or done before a resume."""
    started: float = 0.0
    """Seconds since the epoch."""
    updated: float = 0.0
    """The heartbeat: seconds since the epoch."""
    seconds_left: float | None = None
    tokens_per_second: float | None = None
    variant: str | None = None
    message: str = ""
    """What is going on, as a sentence."""
    error: str | None = None
    """Why it failed, as a sentence with what to do."""
    warnings: tuple[str, ...] = ()
    pid: int | None = None
    left_out: tuple[str, ...] = ()
    """Variants that were not begun, because the run's budget of minutes would not have sufficed."""

    @property
    def active(self) -> bool:
        """Whether a worker is (believed to be) at work."""
        return self.state in ACTIVE


def read_status(run: Run, now: float | None = None) -> RunStatus:
    """Return the run's status; an active state whose heartbeat stopped and whose process is gone is ``interrupted``."""
    status = folder_status(run.folder, now)
    return status or RunStatus("interrupted", message="Its worker was never started. Resume starts it.")


def folder_status(folder: Path, now: float | None = None) -> RunStatus | None:
    """Return the status of whatever a worker does in a folder, as `read_status`; None where none was ever started.

    Raises:
        InputError: status.json is broken.
    """
    path = folder / "status.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise InputError(f"{path}: not valid JSON ({error}).") from None
    known: dict[str, Any] = {key: content[key] for key in RunStatus.__dataclass_fields__ if key in content}
    for key in ("warnings", "left_out"):
        known[key] = tuple(known.get(key, ()))
    status = RunStatus(**known)
    silent = (time.time() if now is None else now) - status.updated
    is_doubtful = silent > MISSED_SECONDS or silent < -AHEAD_SECONDS
    if status.active and is_doubtful and not is_worker(status.pid, folder):
        message = "The worker stopped without a word. What it had finished is kept; resume goes on from there."
        return replace(status, state="interrupted", message=message)
    return status


def write_status(folder: Path, status: RunStatus) -> None:
    """Store the status, stamped with this moment."""
    write_json(folder / "status.json", asdict(replace(status, updated=time.time())))


def is_worker(pid: int | None, folder: Path) -> bool:
    """Tell whether a process is the worker of the run in ``folder``: a number alone may have gone to another since."""
    try:
        process = psutil.Process(pid) if pid else None
        if process is None or process.status() == psutil.STATUS_ZOMBIE:
            return False
        words = process.cmdline()
        return "core.jobs.worker" in words and Path(words[-1]).name == folder.name
    except psutil.Error:
        return False
