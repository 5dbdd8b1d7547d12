"""Holds the linear algebra of numpy to one thread while many small products are made by threads of our own.

A product of 100,000 examples with a few columns ends before a second thread of the library has begun, and the wait for it burns
more processor time than the whole comparison takes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


class _OneThread:
    """Who holds the limit: it is the whole process's, so that the last one to leave lifts it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._limits: threadpool_limits | None = None

    def enter(self) -> None:
        with self._lock:
            if self._limits is None:
                self._limits = threadpool_limits(limits=1, user_api="blas")
            self._holders += 1

    def leave(self) -> None:
        with self._lock:
            self._holders -= 1
            if self._holders == 0 and self._limits is not None:
                self._limits.restore_original_limits()
                self._limits = None


_ONE = _OneThread()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold the linear algebra libraries of this process to one thread; any number of threads may do so at once."""
    _ONE.enter()
    try:
        yield
    finally:
        _ONE.leave()
