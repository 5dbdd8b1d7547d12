"""The process that does a job: ``python -m core.jobs.worker evaluate RUN_FOLDER``, or another kind in a folder of its own.

Before the folder stands what an evaluation is computed with (`core.cluster.ClusterChoice.arguments`), if not with its own models.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType

from core.cluster import cluster_of
from core.errors import InputError, RunError
from core.jobs.lock import BusyError
from core.jobs.status import RunStatus, folder_status, write_status


class Cancelled(BaseException):
    """The user asked to stop; not an Exception, so that nothing on the way takes it for a failure of its own."""


def main(arguments: list[str]) -> int:
    """Run one job and return the exit code: 0 done, 1 failed, 2 the input is wrong, 130 cancelled."""
    if arguments[0] == "own_metrics":
        return _own_metrics(*arguments[1:])
    kind, *choices, name = arguments
    folder = Path(name)
    signal.signal(signal.SIGTERM, _cancel)
    try:
        _job(kind, choices)(folder)
        return 0
    except Cancelled:
        _say(folder, "cancelled", None, "Cancelled. What was finished is kept; resume goes on from there.")
        return 130
    except BusyError as error:  # the status is the other worker's to write
        print(error, file=sys.stderr, flush=True)
        return 2
    except InputError as error:
        _say(folder, "failed", str(error), "Nothing was lost; resume when it is mended.")
        return 2
    except OSError as error:
        _say(folder, "failed", _disk_sentence(error, folder), "What was finished is kept; resume goes on from there.")
        return 1
    except RunError as error:
        _say(folder, "failed", str(error), "What was finished is kept; resume goes on from there.")
        return 1
    except Exception as error:
        traceback.print_exc()
        sentence = f"{type(error).__name__}: {error}. The whole trace is in log.txt of the run's folder."
        _say(folder, "failed", sentence, "What was finished is kept; resume goes on from there.")
        return 1


def _job(kind: str, choices: Sequence[str]) -> Callable[[Path], None]:
    """Return what does a job of some kind; each is imported when it is asked for, since some take seconds to import."""
    if kind == "evaluate":
        from core.jobs.evaluate import evaluate

        return partial(evaluate, cluster=cluster_of(choices))
    if kind == "anatomy":
        from core.jobs.anatomy import anatomy

        return anatomy
    if kind == "merge_check":
        from core.jobs.merge_check import merge_check

        return merge_check
    if kind == "cross":
        from core.jobs.cross_likelihood import cross_likelihood

        return cross_likelihood
    raise InputError(
        f"There is no job of kind {kind!r}; there are: evaluate, anatomy, merge_check, cross, own_metrics."
    )


def _own_metrics(name: str, reference: str, seconds: str, folder: str) -> int:
    """Run a metric of the user's own. Its status is nobody's: who started the process reads the result that it stores."""
    from core.jobs.own_metrics import own_metrics

    signal.alarm(int(seconds))  # should whoever started it not be there any more to stop it
    try:
        own_metrics(Path(folder), name, reference)
    except InputError as error:
        print(error, file=sys.stderr, flush=True)
        return 2
    return 0


def _disk_sentence(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{folder}: the disk is full. Free some space and resume."
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return (
            f"{error.filename or folder}: cannot be written ({os.strerror(error.errno)}). Make it writable and resume."
        )
    return f"{error}. Resume when it is mended."


def _say(folder: Path, state: str, error: str | None, message: str) -> None:
    with suppress(OSError):  # a full disk holds no log line either; the status is tried all the same
        print(error or message, file=sys.stderr, flush=True)
    try:
        known = folder_status(folder) or RunStatus("interrupted")
        status = replace(known, state=state, error=error, message=message, seconds_left=None)  # type: ignore[arg-type]
        write_status(folder, status)
    except (OSError, InputError) as problem:  # the disk is full: the last heartbeat going stale says it
        with suppress(OSError):
            print(f"The status could not be written: {problem}", file=sys.stderr, flush=True)


def _cancel(_signal: int, _frame: FrameType | None) -> None:
    raise Cancelled


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
