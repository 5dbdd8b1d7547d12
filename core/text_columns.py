"""Columns of texts for Arrow, made of their bytes: ``pa.array`` loads pandas, which takes longer than a run from the cache does."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

_MOST_BYTES = 2**31 - 1


def text_column(texts: Sequence[str | None]) -> pa.Array:
    """Return texts as a column of ``pa.string()``; None is null.

    Raises:
        UnicodeEncodeError: a text has half of a surrogate pair.
        OverflowError: all together are 2 GiB or more.
    """
    raw = [b"" if text is None else text.encode() for text in texts]
    there = np.fromiter((text is not None for text in texts), bool, len(texts))
    buffers = [_validity(there), _offsets([len(one) for one in raw]), pa.py_buffer(b"".join(raw))]
    return pa.Array.from_buffers(pa.string(), len(raw), buffers, null_count=int((~there).sum()))


def text_list_column(lists: Sequence[Sequence[str]]) -> pa.Array:
    """Return lists of texts as a column of ``pa.list_(pa.string())``; raises as `text_column`."""
    offsets = _offsets([len(some) for some in lists])
    texts = text_column(list(chain.from_iterable(lists)))
    return pa.Array.from_buffers(pa.list_(pa.string()), len(lists), [None, offsets], null_count=0, children=[texts])


def _validity(there: np.ndarray) -> pa.Buffer | None:
    return None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little").tobytes())


def _offsets(lengths: Sequence[int]) -> pa.Buffer:
    ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    if ends[-1] > _MOST_BYTES:
        raise OverflowError(f"{ends[-1]:,} bytes of text do not fit into one column; expected at most {_MOST_BYTES:,}")
    return pa.py_buffer(ends.astype(np.int32).tobytes())
