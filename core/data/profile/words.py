"""Words and their hashes: what duplicates, leakage and repetition compare.

A word is a run of letters, digits and underscores; a character of a script that writes no spaces is a word of its own.
Case is folded. Hashes are the same on every machine and in every process.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from hashlib import blake2b
from zlib import crc32

import numpy as np

NO_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Myanmar, Khmer, kana and Han, as ranges of a character class."""
WORD = re.compile(f"[{NO_SPACES}]|[^\\W{NO_SPACES}]+")
_UNSPACED = re.compile(f"[{NO_SPACES}]")
CHARACTERS_READ = 1_000_000
_LETTERS = bytes(code if chr(code).isalnum() or code == ord("_") else 32 for code in range(128)) + b" " * 128
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio (Knuth, The Art of Computer Programming 3, section 6.4)."""
_INVERSE = np.uint64(pow(int(_FACTOR), -1, 2**64))


def words(text: str) -> list[bytes]:
    """Return the words of a text, as UTF-8; of its first million characters, so that one row cannot fill the memory."""
    text = text[:CHARACTERS_READ]
    if text.isascii():
        return text.encode().lower().translate(_LETTERS).split()
    return [word.encode("utf-8", "replace") for word in WORD.findall(text.casefold())]


def word_hashes(text: str) -> np.ndarray:
    """Return a 64-bit hash of each word of a text, in order."""
    return hashes_of(words(text))


def hashes_of(found: Sequence[bytes]) -> np.ndarray:
    """Return a 64-bit hash of each of some words."""
    return mix(np.fromiter(map(crc32, found), dtype=np.uint64, count=len(found)))


def mix(values: np.ndarray) -> np.ndarray:
    """Spread the bits of 64-bit values (the finaliser of MurmurHash3, Austin Appleby, public domain)."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))


def ngram_hashes(rows: Sequence[np.ndarray], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes of all runs of ``n`` words of each row.

    Args:
        rows: hashes of the words of each row.
        n: words in a run. A shorter row has one run, of all that it has; an empty row has one that says so.

    Returns:
        The hashes of all rows one after the other, and the offsets (rows + 1) at which each row starts.
    """
    padded = [row if len(row) >= n else np.concatenate([row, np.zeros(n - len(row), np.uint64)]) for row in rows]
    lengths = np.array([len(row) for row in padded], dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths - n + 1)])
    if not padded:
        return np.empty(0, np.uint64), offsets
    runs = run_hashes(np.concatenate(padded), n)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    inside = np.ones(len(runs), dtype=bool)
    for back in range(1, n):  # runs that begin in one row and end in the next
        inside[starts[1:] - back] = False
    return mix(runs[inside]), offsets


def run_hashes(words: np.ndarray, n: int) -> np.ndarray:
    """Return the hash of each run of ``n`` words of one sequence, (len(words) - n + 1,): differences of one sum's parts.

    The polynomial hash of Rabin and Karp modulo 2^64; its powers are taken back by the factor's inverse.
    """
    powers = np.cumprod(np.concatenate([[np.uint64(1)], np.full(len(words), _FACTOR)]), dtype=np.uint64)
    sums = np.concatenate([[np.uint64(0)], np.cumsum(words * powers[:-1], dtype=np.uint64)])
    starts = len(words) - n + 1
    back = np.cumprod(np.concatenate([[np.uint64(1)], np.full(max(starts - 1, 0), _INVERSE)]), dtype=np.uint64)
    return (sums[n:] - sums[:starts]) * back[:starts]


def writes_without_spaces(text: str) -> bool:
    """Whether more than half of the words of a text are characters of a script without spaces."""
    if text.isascii():
        return False
    head = text[:2000]
    return 2 * len(_UNSPACED.findall(head)) > len(WORD.findall(head))


def normalised(text: str) -> str:
    """Return a text with compatibility characters, case and white space made alike."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def text_hash(text: str) -> int:
    """Return a 63-bit hash of a text."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()) >> 1
