"""What lies in the evidence cache of a workspace: what each entry is of, when it was last used, and taking entries away.

Nothing here is needed by a run: an entry that is gone is computed again. Only files that the cache itself names are ever touched,
and no link is followed.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InputError
from core.evidence_cache import ENGINE_VERSION, ORIGIN_KEY, settings_text

_SHELF = re.compile(r"[0-9a-f]{2}")
_ENTRY = re.compile(r"[0-9a-f]{64}\.parquet")
_UNFINISHED = re.compile(r"\.[0-9a-f]{64}\.parquet-\w+")
"""What a process leaves that was killed while it wrote."""
_UNFINISHED_SECONDS = 3_600.0
"""After this nobody writes at it any more."""


@dataclass(frozen=True)
class Origin:
    """What an entry is of."""

    variant: str
    """What it was called when it was computed; it is found under any name."""
    base_name: str
    key: Mapping[str, Any]
    """What its key was made of but for the request: ``identity`` (base, adapter, scale, dtype, device), ``engine``, ``tokenizer``,
    ``decoding``, ``stop``."""
    tasks: tuple[str, ...]
    asked: int
    """Pieces of evidence."""
    made: float
    """Seconds since the epoch."""

    def identity(self, name: str) -> Any:
        """Return one field of the variant's identity (``base``, ``adapter``, ``scale``, ``dtype``, ``device``)."""
        return self.key["identity"].get(name)


@dataclass(frozen=True)
class Entry:
    """One file of the cache."""

    shelf: str
    """The folder that it lies in."""
    name: str
    n_bytes: int
    used: float
    """When it was written or last found, in seconds since the epoch."""
    origin: Origin | None
    """None where the file does not say: an older version wrote it, or it is damaged."""

    def age(self, now: float) -> float:
        """Return the seconds since it was used; 0 for one from the future, which a clock that was set back makes of a new one."""
        return max(0.0, now - self.used)


@dataclass(frozen=True)
class Group:
    """The entries of one model: what a person would keep or delete together."""

    origin: Origin | None
    """Of the entry that was used last."""
    entries: tuple[Entry, ...]

    @property
    def n_bytes(self) -> int:
        """Of all entries."""
        return sum(entry.n_bytes for entry in self.entries)

    @property
    def used(self) -> float:
        """When one of them was last used."""
        return max(entry.used for entry in self.entries)


def list_entries(folder: Path) -> list[Entry]:
    """Return the entries of a cache folder, the least recently used first; none where there is no such folder."""
    found = [
        Entry(shelf, name, status.st_size, status.st_mtime, read_origin(folder / shelf / name))
        for shelf, name, status in _files(folder)
        if _ENTRY.fullmatch(name)
    ]
    return sorted(found, key=lambda entry: (entry.used, entry.name))


def group_entries(entries: Iterable[Entry]) -> list[Group]:
    """Return entries by model (base, adapter, scale, precision, kind of device), the most recently used first, unknown ones last."""
    by_model: dict[str, list[Entry]] = {}
    for entry in entries:
        by_model.setdefault(json.dumps(entry.origin and entry.origin.key["identity"], sort_keys=True), []).append(entry)
    groups = [Group(max(some, key=lambda entry: entry.used).origin, tuple(some)) for some in by_model.values()]
    return sorted(groups, key=lambda group: (group.origin is None, -group.used))


def read_origin(path: Path) -> Origin | None:
    """Return what an entry says of itself; None where it does not, or nothing that makes sense."""
    try:
        told = json.loads((pq.ParquetFile(path).metadata.metadata or {})[ORIGIN_KEY], parse_constant=_refuse)
        key = {name: told[name] for name in ("identity", "engine", "tokenizer", "decoding", "stop")}
        if not isinstance(key["identity"], dict):
            return None
        return Origin(
            str(told["variant"]), str(told["base_name"]), key, tuple(map(str, told["tasks"])), int(told["asked"]), float(told["made"])
        )  # fmt: skip
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number that an entry could hold")


def older_than(entries: Iterable[Entry], seconds: float, now: float | None = None) -> list[Entry]:
    """Return the entries that were not used for so long."""
    moment = time.time() if now is None else now
    return [entry for entry in entries if entry.age(moment) > seconds]


def beyond(entries: Iterable[Entry], n_bytes: int) -> list[Entry]:
    """Return the least recently used entries, without which the others take at most so many bytes."""
    kept, gone = 0, []
    for entry in sorted(entries, key=lambda entry: (-entry.used, entry.name)):
        kept += entry.n_bytes
        if kept > n_bytes:
            gone.append(entry)
    return gone


def not_of(entries: Iterable[Entry], kept: Collection[str]) -> list[Entry]:
    """Return the entries whose model and settings are none of ``kept`` (`core.evidence_cache.settings_text`).

    What another version of the engine computed is among them, since no run finds it any more; what is of unknown origin is not.
    """
    known = [(entry, entry.origin) for entry in entries]
    return [
        entry for entry, origin in known
        if origin is not None and (origin.key["engine"] != ENGINE_VERSION or settings_text(origin.key) not in kept)
    ]  # fmt: skip


def remove(folder: Path, entries: Iterable[Entry]) -> int:
    """Delete entries, and what killed processes left unfinished, and return how many bytes were freed.

    A run that goes on meanwhile computes again what it no longer finds.

    Raises:
        InputError: the folder is a link, or may not be written.
    """
    if folder.is_symlink() or folder.parent.is_symlink():
        raise InputError(f"{folder}: this is a link; nothing is deleted behind it. Delete where it points to, by hand.")
    freed = 0
    try:
        for entry in entries:
            freed += entry.n_bytes if _unlink(folder, entry.shelf, entry.name) else 0
        for shelf, name, status in list(_files(folder)):
            if _UNFINISHED.fullmatch(name) and time.time() - status.st_mtime > _UNFINISHED_SECONDS:
                freed += status.st_size if _unlink(folder, shelf, name) else 0
    except PermissionError as error:
        raise InputError(f"{folder}: nothing can be deleted there ({error.strerror}). Make it writable.") from None
    return freed


def _unlink(folder: Path, shelf: str, name: str) -> bool:
    """Delete a file within a shelf, and only there: a link in the shelf's place is not followed, even if it came a moment ago."""
    try:
        handle = os.open(folder / shelf, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except PermissionError:
        raise
    except OSError:  # it is gone, or a link
        return False
    try:
        os.unlink(name, dir_fd=handle)
    except FileNotFoundError:  # another process was faster
        return False
    finally:
        os.close(handle)
    return True


def _files(folder: Path) -> Iterator[tuple[str, str, os.stat_result]]:
    """Yield shelf, name and status of each plain file of the cache's own; what vanishes meanwhile is left out."""
    if not folder.is_dir():
        return
    for shelf in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if not _SHELF.fullmatch(shelf.name) or not shelf.is_dir(follow_symlinks=False):
            continue
        for file in os.scandir(shelf.path):
            if not (_ENTRY.fullmatch(file.name) or _UNFINISHED.fullmatch(file.name)):
                continue
            try:
                status = file.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield shelf.name, file.name, status
