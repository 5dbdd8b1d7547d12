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
from pathlib import Path
from types import FrameType
from typing import Any

import core
from core.jobs import worker

_ROOT = str(Path(core.__file__).parent)
_PRELOADED = ["core.jobs.evaluate", "core.engine.session", "tests.core.jobs.killing"]
WAIT_SECONDS = 240


def run_worker(folder: Path, moment: int | None = None) -> tuple[int | None, int | None]:
    """Run a run's worker to its end, or until it makes the call of this number and is killed.

    Returns:
        The exit code (minus 9 for a worker that was killed), and how many calls it made (None if it was killed).
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(str(folder), moment, sender))
    process.start()
    sender.close()
    process.join(WAIT_SECONDS)
    assert process.exitcode is not None, "the worker is still at work"
    try:
        return process.exitcode, receiver.recv()
    except EOFError:
        return process.exitcode, None


def _work(folder: str, moment: int | None, sender: Any) -> None:
    calls = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        if event in ("call", "c_call") and frame.f_code.co_filename.startswith(_ROOT):
            calls += 1
            if calls == moment:
                os.kill(os.getpid(), signal.SIGKILL)

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
