"""Streams of bytes with bounds: blocks of a size, compressed data that may not unfold without end, errors as sentences."""

from __future__ import annotations

import errno
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from core.errors import InputError

BLOCK_BYTES = 1 << 17
"""Text is read by blocks of this size: what is made of one stays in a core's cache, and the allocator keeps its memory."""
MAX_RATIO = 200
"""A compressed file may unfold to this many times its size; more is taken for a bomb."""
RATIO_FREE_BYTES = 64 << 20
"""The ratio is not asked before so much has been unfolded: small files compress well and harm nobody."""


class Readable(Protocol):
    """What is asked of an open stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes; none at the end."""
        ...


def blocks(stream: Readable) -> Iterator[bytes]:
    """Yield a stream by blocks of at most `BLOCK_BYTES`."""
    while block := stream.read(BLOCK_BYTES):
        yield block


class _Unfolded:
    """A decompressed stream that counts what it gives out."""

    def __init__(self, raw: BinaryIO, path: Path, compression: str, n_bytes: int) -> None:
        self._path, self._compression, self._n_bytes, self._given = path, compression, n_bytes, 0
        self._bound = max(RATIO_FREE_BYTES, MAX_RATIO * n_bytes)
        if compression == "gzip":
            self._inner: Readable = gzip.GzipFile(fileobj=raw, mode="rb")
        else:
            import pyarrow as pa

            self._inner = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")

    def read(self, size: int = -1, /) -> bytes:
        try:
            block = self._inner.read(size)
        except (OSError, EOFError, ValueError, zlib.error) as error:  # pyarrow's errors are among these
            raise InputError(
                f"{self._path}: the {self._compression} data cannot be unfolded ({error}). "
                "The file is damaged or cut short: make it or copy it again."
            ) from None
        self._given += len(block)
        if self._given > self._bound:
            raise InputError(
                f"{self._path}: {self._n_bytes:,} bytes unfold to more than {self._bound:,}, "
                f"over {MAX_RATIO} times their size, which is taken for a decompression bomb. "
                "If the file is honest, unpack it yourself and inspect the unpacked file."
            )
        return block


class _Stretch:
    """A number of bytes of a file, whose reading may fail with a sentence."""

    def __init__(self, raw: BinaryIO, path: Path, n_bytes: int) -> None:
        self._raw, self._path, self._left = raw, path, n_bytes

    def read(self, size: int = -1, /) -> bytes:
        with readable(self._path):
            block = self._raw.read(min(size, self._left) if size >= 0 else self._left)
        self._left -= len(block)
        return block


def stretch(raw: BinaryIO, path: Path, n_bytes: int) -> Readable:
    """Return the next bytes of an open file as a stream that ends there: a file that grows would never be read to its end.

    Raises:
        InputError: while it is read, for what the system says against it.
    """
    return _Stretch(raw, path, n_bytes)


def unfolded(raw: BinaryIO, path: Path, compression: str, n_bytes: int) -> Readable:
    """Return a compressed stream as what it unfolds to.

    Args:
        raw: the compressed bytes.
        path: for the sentences.
        compression: ``gzip`` or ``zstd``.
        n_bytes: the size of the compressed file.

    Raises:
        InputError: while it is read, where it is damaged or gives more than `MAX_RATIO` times its size.
    """
    return _Unfolded(raw, path, compression, n_bytes)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the system says of a path into a sentence."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file. Correct the path, or put the file there.") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputError(f"{path}: the link leads back to itself; give the path of the file itself.") from None
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None
