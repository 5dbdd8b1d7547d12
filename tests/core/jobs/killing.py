"""Runs workers in processes that are forked from one that has imported everything, and kills them at moments that can be named.

A moment is a number of calls made by lorascope's own code (of functions in Python and in C, so that it may lie just before a file
gets its name or reaches the disk): on a slow machine it is the same place. The kill is a real SIGKILL of a real process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

import core
from core.jobs import worker

_ROOT = str(Path(core.__file__).parent)
_PRELOADED = [
    "core.jobs.evaluate",
    "core.engine.session",
    "tests.core.jobs.killing",
    "tests.tiny",
    "pandas",
    "bitsandbytes",
]
"""The last three are imported on the way; what is not installed is passed over."""
WAIT_SECONDS = 240


@dataclass(frozen=True)
class Started:
    """A worker at work."""

    process: BaseProcess
    receiver: Connection

    def ended(self) -> tuple[int, int | None]:
        """Wait for its end and return its exit code (minus 9 if it was killed), and how many calls it made if they were counted."""
        self.process.join(WAIT_SECONDS)
        assert self.process.exitcode is not None, "the worker is still at work"
        try:
            return self.process.exitcode, self.receiver.recv()
        except EOFError:
            return self.process.exitcode, None


def start_worker(folder: Path, moment: int | None = None, *, counted: bool = False) -> Started:
    """Start a run's worker; the call of number ``moment`` kills it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(str(folder), moment, counted, sender))
    process.start()
    sender.close()
    return Started(process, receiver)


def run_worker(folder: Path, moment: int | None = None, *, counted: bool = False) -> tuple[int, int | None]:
    """Start a run's worker and wait for its end, as `Started.ended`."""
    return start_worker(folder, moment, counted=counted).ended()


def _work(folder: str, moment: int | None, counted: bool, sender: Connection) -> None:
    calls = 0
    with open(Path(folder) / "log.txt", "ab") as log:  # as a worker's output goes where it is started for a user
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        if event in ("call", "c_call") and frame.f_code.co_filename.startswith(_ROOT):
            calls += 1
            if calls == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    if moment is None and not counted:  # counting doubles the time
        sys.exit(worker.main(["evaluate", folder]))
    code = _profiled(count, lambda: worker.main(["evaluate", folder]))
    sender.send(calls)
    sender.close()
    sys.exit(code)


def _profiled(count: Callable[[FrameType, str, object], None], work: Callable[[], int]) -> int:
    sys.setprofile(count)
    try:
        return work()
    finally:
        sys.setprofile(None)
