"""Look into weight files without loading them: names, types and shapes from the header, a hash of the tensors, raw values.

Only safetensors is read. A pickle is refused: to read one is to run it. (https://github.com/huggingface/safetensors#format)
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError
from core.paths import cache_folder
from core.store import write_json

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_HEADER_LIMIT = 100_000_000
_CHUNK_BYTES = 4 << 20
_TICK_NS = 20_000_000
"""Longer than a tick of the clock that Linux stamps files with (10 ms where it is slowest)."""
_ITEM_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8, "C64": 8,
}  # fmt: skip
_NUMPY = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}


@dataclass(frozen=True)
class TensorInfo:
    """One tensor of a safetensors file; its bytes stay on disk."""

    path: Path
    dtype: str
    """As safetensors writes it: ``BF16``, ``F32``."""
    shape: tuple[int, ...]
    start: int
    """Of its first byte in the file."""
    n_bytes: int

    @property
    def n_values(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    def chunks(self) -> Iterator[bytes]:
        """Yield its raw bytes in pieces of at most 4 MiB."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            left = self.n_bytes
            while left:
                piece = file.read(min(left, _CHUNK_BYTES))
                if not piece:
                    raise InputError(f"{self.path}: the file became shorter while it was read. Copy it again.")
                left -= len(piece)
                yield piece

    def values(self) -> Iterator[np.ndarray]:
        """Yield its numbers as float arrays, piece by piece; nothing for types other than BF16, F16, F32, F64."""
        for piece in self.chunks():
            if self.dtype == "BF16":
                yield (np.frombuffer(piece, dtype="<u2").astype(np.uint32) << 16).view(np.float32)
            elif self.dtype in _NUMPY:
                yield np.frombuffer(piece, dtype=_NUMPY[self.dtype])

    def array(self) -> np.ndarray:
        """Return its numbers in its shape, as float32 or, where they are stored so, float64.

        Raises:
            InputError: it is of a type that holds no plain numbers (quantised weights, for one).
        """
        pieces = list(self.values())
        if not pieces and self.n_values:
            raise InputError(f"{self.path}: found a tensor of type {self.dtype}, expected BF16, F16, F32 or F64.")
        values = np.concatenate(pieces) if pieces else np.empty(0, np.float32)
        return values.astype(np.promote_types(values.dtype, np.float32), copy=False).reshape(self.shape)


def weight_files(folder: Path, stem: str = "model") -> list[Path]:
    """Return the safetensors files of a model (``stem`` model) or adapter (adapter_model), shards included.

    Raises:
        InputError: there are none: it says so, names a pickle that is there instead, or a shard that is missing.
    """
    whole, index = folder / f"{stem}.safetensors", folder / f"{stem}.safetensors.index.json"
    if whole.is_file():
        return [whole]
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
            paths = [folder / Path(name).name for name in names]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{index}: not a safetensors index ({error!r}). Copy the model again.") from None
        if missing := [path.name for path in paths if not path.is_file()]:
            raise InputError(
                f"{folder}: {index.name} names {', '.join(missing)}, which is not there. Copy the model again."
            )
        return paths
    pickles = sorted(
        path.name for pattern in PICKLES for path in folder.glob(pattern) if path.name != "training_args.bin"
    )
    if pickles:
        raise InputError(
            f"{folder}: found {pickles[0]}, a pickle, and expected {whole.name}. A pickle can run any program when it is read, so "
            "it was not. Save the weights again as safetensors: load them where you trust them, then "
            "model.save_pretrained(folder, safe_serialization=True)."
        )
    raise InputError(f"{folder}: found no {whole.name}. Copy the weights there, or correct the path.")


def read_header(path: Path) -> dict[str, TensorInfo]:
    """Return the tensors of one safetensors file by name.

    Raises:
        InputError: the file is missing, truncated, a pickle under a false name, or not safetensors.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(8)
            length = int.from_bytes(first, "little")
            if first.startswith((b"PK\x03\x04", b"\x80")) and length > _HEADER_LIMIT:
                raise InputError(
                    f"{path}: this is a pickle under another name, not safetensors. It was not read, since reading can run it. "
                    "Save the weights again as safetensors."
                )
            if size < 8 or length > _HEADER_LIMIT:
                raise InputError(f"{path}: found {size:,} bytes that are not safetensors. Copy or save the file again.")
            if size < 8 + length:
                raise InputError(
                    f"{path}: truncated: the header alone is {8 + length:,} bytes, the file has {size:,}. Copy it again."
                )
            header = json.loads(file.read(length))
            return _tensors(path, header, 8 + length, size)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file. Copy the weights there, or correct the path.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not a safetensors header ({error}). Copy or save the file again.") from None


def _tensors(path: Path, header: Mapping[str, Any], data_start: int, size: int) -> dict[str, TensorInfo]:
    tensors, end = {}, 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, stop = (int(offset) for offset in entry["data_offsets"])
        info = TensorInfo(
            path, str(entry["dtype"]), tuple(int(n) for n in entry["shape"]), data_start + start, stop - start
        )
        expected = info.n_values * _ITEM_BYTES.get(info.dtype, 0)
        if start < 0 or info.n_bytes < 0 or (expected and info.n_bytes != expected):
            raise InputError(
                f"{path}: {name}: {info.n_bytes:,} bytes do not fit {info.dtype} {list(info.shape)}. Save the file again."
            )
        tensors[name] = info
        end = max(end, stop)
    if size < data_start + end:
        raise InputError(
            f"{path}: truncated: its header promises {data_start + end:,} bytes, the file has {size:,}. Copy or save the file again."
        )
    return tensors


def read_headers(paths: Sequence[Path]) -> dict[str, TensorInfo]:
    """Return the tensors of all shards of a model by name; as `read_header` otherwise."""
    return {name: info for path in paths for name, info in read_header(path).items()}


def tensor_hash(paths: Sequence[Path]) -> str:
    """Return SHA-256 over the tensors of a model or adapter: name, type, shape and bytes of each, in the order of names.

    It is the same however the tensors are sharded and whatever metadata stands beside them. Memory is bounded; the result
    is remembered in the cache folder for as long as the files keep path, size, times of change (of the content, and of the
    inode, which no program can set back) and inode. What changed a moment ago may change again within one tick of the file
    system's clock, and is not remembered.
    """
    began = time.time_ns()
    key = _identity(paths)
    memo_path = cache_folder() / "hashes.json"
    memo = _read_memo(memo_path)
    if key in memo:
        return memo[key]
    digest = hashlib.sha256()
    for name, info in sorted(read_headers(paths).items()):
        digest.update(json.dumps([name, info.dtype, info.shape]).encode())
        for piece in info.chunks():
            digest.update(piece)
    found = digest.hexdigest()
    if _identity(paths) == key and began - max(path.stat().st_ctime_ns for path in paths) > _TICK_NS:
        _remember(memo_path, key, found, paths[0])
    return found


def _identity(paths: Sequence[Path]) -> str:
    stats = [(path.resolve(), path.stat()) for path in paths]
    return "|".join(f"{path},{s.st_size},{s.st_mtime_ns},{s.st_ctime_ns},{s.st_ino}" for path, s in stats)


def _remember(memo_path: Path, key: str, found: str, first: Path) -> None:
    """Write down a hash, in place of what was known of the same files as they were before."""
    start = f"{first.resolve()},"
    others = {other: known for other, known in _read_memo(memo_path).items() if not other.startswith(start)}
    with suppress(OSError):  # a cache that cannot be written costs time, nothing else
        write_json(memo_path, others | {key: found})


def _read_memo(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
