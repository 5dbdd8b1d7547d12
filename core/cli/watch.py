"""Watch a run from the command line: one line that is drawn anew, or plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from core.adapters.kept import AdapterJob
from core.errors import RunError
from core.jobs import launch
from core.jobs.adapter_launch import job_status, stop_job
from core.jobs.status import RunStatus, read_status
from core.store import Run

_POLL_SECONDS = 0.5
_FIRST_POLL_SECONDS = 0.05
"""A run of which everything was found takes a second: it is looked at more often in the beginning."""
_PLAIN_SECONDS = 15.0
_BAR = 24


def follow(run: Run, meanwhile: Callable[[], None] = lambda: None) -> RunStatus:
    """Draw a run's progress until it ends and return its last status; Ctrl-C cancels it and keeps what is finished.

    A run that its budget of minutes ended early is as good as finished: the status says what was left out.

    Args:
        run: the run.
        meanwhile: something short to do while its worker starts.

    Raises:
        RunError: the run failed, was cancelled or its worker died; the message says what is kept.
    """
    try:
        meanwhile()
        status = _watched(lambda: read_status(run))
    except KeyboardInterrupt:
        launch.cancel(run)
        raise RunError(
            f"Cancelled. What was finished is kept; go on with: lorascope evaluate --resume {run.id}"
        ) from None
    if status.state != "finished" and not status.left_out:
        resume = f"Go on with: lorascope evaluate --resume {run.id}"
        raise RunError(f"{status.error or status.message} {resume}")
    return status


def follow_job(job: AdapterJob) -> RunStatus:
    """Draw a measurement's progress until it ends and return its last status; Ctrl-C stops it.

    Raises:
        RunError: it failed, was stopped or its worker died; the message says why.
    """
    ended = RunStatus("interrupted", message="Its worker stopped without a word.")
    try:
        status = _watched(lambda: job_status(job) or ended)
    except KeyboardInterrupt:
        stop_job(job)
        raise RunError(
            "Stopped. Start it again to have the numbers; what is in the cache is not computed again."
        ) from None
    if status.state != "finished":
        raise RunError(status.error or status.message)
    return status


def _watched(read: Callable[[], RunStatus]) -> RunStatus:
    """Draw what ``read`` says until nothing is at work any more, and return the last of it."""
    shown, shown_at = "", 0.0
    terminal = sys.stderr.isatty()
    warned, pause = 0, _FIRST_POLL_SECONDS
    while True:
        status = read()
        for warning in status.warnings[warned:]:
            _draw(f"Note: {warning}", terminal, end="\n")
        warned = len(status.warnings)
        line = describe(status)
        if line != shown and (terminal or not status.active or time.monotonic() - shown_at >= _PLAIN_SECONDS):
            _draw(line, terminal, end="" if terminal else "\n")
            shown, shown_at = line, time.monotonic()
        if not status.active:
            break
        time.sleep(pause)
        pause = min(_POLL_SECONDS, pause * 1.2)
    if terminal:
        print(file=sys.stderr)
    return status


def describe(status: RunStatus) -> str:
    """Return a run's progress in one line: bar, counts, rate, time left, what is going on."""
    share = status.done / status.total if status.total else 0.0
    filled = round(share * _BAR)
    pieces = [f"[{'#' * filled}{'.' * (_BAR - filled)}] {status.done}/{status.total}"]
    if status.tokens_per_second:
        pieces.append(f"{status.tokens_per_second:,.0f} tokens/s")
    if status.seconds_left is not None:
        pieces.append(f"{clock(status.seconds_left)} left")
    if status.reused:
        pieces.append(f"{status.reused} from the cache")
    return "  ".join([*pieces, status.message])


def clock(seconds: float) -> str:
    """Return a time span as ``m:ss``, or ``h:mm:ss`` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _draw(line: str, terminal: bool, end: str) -> None:
    print(f"\r\x1b[K{line}" if terminal else line, end=end, file=sys.stderr, flush=True)
