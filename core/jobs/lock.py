"""One worker at a time at a run's folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import InputError


class BusyError(InputError):
    """Another worker is at the run: its status is not ours to write."""


@contextmanager
def only_worker(folder: Path) -> Iterator[None]:
    """Be the only worker at a run while the block lasts. The lock is the process's: it goes when the process does.

    Raises:
        BusyError: another worker is at this run.
    """
    with (folder / "spec.json").open("r+b") as lock:  # for writing, as NFS wants of an exclusive lock
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f"{folder}: another worker is at this run already. It goes on undisturbed; wait for it, or cancel it first."
            ) from None
        yield
