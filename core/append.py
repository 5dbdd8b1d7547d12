"""A file of lines that several processes add to: one after the other, whole lines or nothing, on disk before it returns."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AppendedFile:
    """A file that this process alone may add to, until the ``with`` block of `appending` ends."""

    descriptor: int

    def read(self) -> bytes:
        """Return all that is there."""
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        pieces = []
        while piece := os.read(self.descriptor, 1 << 20):
            pieces.append(piece)
        return b"".join(pieces)

    def append(self, lines: bytes) -> None:
        """Write whole lines at the end or nothing, and wait until the disk has them.

        A line that a crash left torn is closed first, so that it can only cost itself.

        Raises:
            OSError: they cannot be written; the file is as it was.
        """
        size = os.lseek(self.descriptor, 0, os.SEEK_END)
        if size:
            os.lseek(self.descriptor, size - 1, os.SEEK_SET)
            if os.read(self.descriptor, 1) != b"\n":
                lines = b"\n" + lines
        try:
            written = 0
            while written < len(lines):
                written += os.write(self.descriptor, lines[written:])
            os.fsync(self.descriptor)
        except OSError:
            os.ftruncate(self.descriptor, size)
            raise


@contextmanager
def appending(path: Path) -> Iterator[AppendedFile]:
    """Open a file to add lines to it, made if it is not there; other processes and threads wait.

    Raises:
        OSError: it cannot be opened for writing.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield AppendedFile(descriptor)
    finally:
        os.close(descriptor)  # which lets go of the lock too
