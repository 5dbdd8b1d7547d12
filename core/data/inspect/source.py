"""Find out what a dataset's bytes are (layout, compression), open them, and see that they stay the same.

Nothing here looks at rows. What cannot be read at all is an InputError.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from core.data.inspect.flaws import Flaw, flaw
from core.data.inspect.marks import wide_encoding, without_marks
from core.data.inspect.stream import BLOCK_BYTES, Readable, readable, stretch, unfolded
from core.errors import InputError

_KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".parquet": "parquet",
    ".arrow": "arrow",
}
_PACKED = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_READABLE = "JSONL, JSON, CSV, Parquet, gzip or zstd of these, or a datasets folder"


@dataclass(frozen=True)
class Source:
    """A dataset on disk before its rows are looked at."""

    path: Path
    kind: str
    """``jsonl``, ``json``, ``csv``, ``parquet`` or ``arrow``."""
    compression: str | None
    files: tuple[Path, ...]
    """The data files: the path itself, or the shards of a datasets folder."""
    stamps: tuple[tuple[int, ...], ...]
    """Of each file: device, inode, size, times of its last change in nanoseconds."""

    @property
    def n_bytes(self) -> int:
        """The size of all files on disk."""
        return sum(stamp[2] for stamp in self.stamps)


def open_source(path: Path) -> Source:
    """Return what a dataset's bytes are, by its first bytes and then by its ending.

    Raises:
        InputError: it is missing, empty, a folder without data, a loop of links, not a file, or of another kind.
    """
    files = _files(path)
    stamps = tuple(_stamp(file) for file in files)
    if not sum(stamp[2] for stamp in stamps):
        raise InputError(f"{path}: the file is empty (0 bytes); expected at least one row.")
    with readable(path):
        with files[0].open("rb") as stream:
            head = stream.read(64)
        kind, compression = _kind(path, head)
        source = Source(path, kind, compression, files, stamps)
        settle = {"json": _settle_json, "jsonl": _settle_lines}.get(kind)
        return settle(source) if settle else source


def layout_flaws(source: Source, *, strict: bool) -> list[Flaw]:
    """Return what is wrong with the layout of a file as a whole: contracts, and the ending ``.jsonl``, promise JSON Lines."""
    promised = strict or {ending.lower() for ending in source.path.suffixes} & {".jsonl", ".ndjson"}
    if source.kind == "jsonl" or not promised:
        return []
    found = {"json": "a JSON list", "csv": "CSV", "parquet": "Parquet", "arrow": "Arrow"}[source.kind]
    repair = "write each row as a line of its own"
    return [flaw("not-json-lines", "", f"{found} as the layout of the file", "one JSON object on each line", repair)]


def check_unchanged(source: Source) -> None:
    """Raise InputError where a file is no longer what it was when it was opened."""
    for file, before in zip(source.files, source.stamps, strict=True):
        try:
            now = _stamp(file)
        except InputError:
            now = ()
        if now != before:
            raise InputError(
                f"{file}: the file changed while it was read, so that what was found belongs to no version of it. "
                "Let whatever writes it finish, then inspect it again."
            )


def sha256(source: Source) -> str:
    """Return the SHA-256 of the file's bytes; of a folder, of its shards' names and hashes."""
    with readable(source.path):
        digests = [_digest(file) for file in source.files]
    if source.files == (source.path,):
        return digests[0]
    named = "".join(f"{file.name} {digest}\n" for file, digest in zip(source.files, digests, strict=True))
    return hashlib.sha256(named.encode()).hexdigest()


@contextmanager
def open_bytes(source: Source) -> Iterator[Readable]:
    """Open the first file for reading, unfolded where it is compressed, with the ratio bounded.

    Raises:
        InputError: while reading, where the compressed bytes are damaged or unfold without bound.
    """
    with readable(source.path):
        raw = source.files[0].open("rb")
    with raw:
        if source.compression is None:
            yield stretch(raw, source.path, source.n_bytes)
        else:
            yield unfolded(raw, source.path, source.compression, source.n_bytes)


def _digest(file: Path) -> str:
    with file.open("rb", buffering=0) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _stamp(file: Path) -> tuple[int, ...]:
    with readable(file):
        seen = file.stat()
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def _files(path: Path) -> tuple[Path, ...]:
    with readable(path):
        path.stat()
        if path.is_dir():
            return _shards(path)
        if not path.is_file():
            raise InputError(f"{path}: this is a device or a pipe; expected a file ({_READABLE}).")
    return (path,)


def _shards(folder: Path) -> tuple[Path, ...]:
    """Return the Arrow files of a folder that ``Dataset.save_to_disk`` wrote."""
    if (folder / "dataset_dict.json").is_file():
        splits = sorted(file.parent.name for file in folder.glob("*/state.json"))
        named = ", ".join(splits) or "none"
        raise InputError(f"{folder}: a datasets folder with splits ({named}); give the folder of one of them.")
    if (folder / "state.json").is_file():
        try:
            state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
            names = [entry["filename"] for entry in state["_data_files"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InputError(f"{folder / 'state.json'}: does not list the data files as datasets writes it.") from None
        if not names or not all(isinstance(name, str) and Path(name).name == name for name in names):
            raise InputError(f"{folder / 'state.json'}: expected names of files in this folder, found {names!r:.80}.")
        return tuple(folder / name for name in names)
    if files := tuple(sorted(folder.glob("*.arrow"))):
        return files
    raise InputError(f"{folder}: this is a folder without a dataset in it; expected a file ({_READABLE}).")


def _kind(path: Path, head: bytes) -> tuple[str, str | None]:
    if path.is_dir():
        return "arrow", None
    if head.startswith(b"PK\x03\x04"):
        raise InputError(f"{path}: this is a ZIP archive; unpack it and give one of its files.")
    if found := wide_encoding(head):
        raise InputError(
            f"{path}: found {found} (byte 0x{head[0]:02x} in line 1), expected UTF-8. Save the file as UTF-8."
        )
    packed = "gzip" if head.startswith(b"\x1f\x8b") else "zstd" if head.startswith(b"\x28\xb5\x2f\xfd") else None
    endings = [ending.lower() for ending in path.suffixes[-2:]]
    ending = endings[-1] if endings else ""
    if packed and ending in _PACKED:
        ending = endings[0] if len(endings) > 1 else ".jsonl"
    if head.startswith(b"PAR1"):
        return "parquet", packed
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow", packed
    if packed is None and ending in _PACKED:
        raise InputError(
            f"{path}: the ending says {_PACKED[ending]}, but the bytes are not. Correct the file's ending."
        )
    if not packed and ending in (".parquet", ".arrow"):
        raise InputError(f"{path}: the ending says {ending[1:]}, but the first bytes are {head[:4]!r}: it is not.")
    if ending in _KINDS:
        return _KINDS[ending], packed
    first = without_marks(head).lstrip()[:1]
    if not packed and first in (b"{", b"["):
        return ("jsonl" if first == b"{" else "json"), None
    raise InputError(f"{path}: found the ending {ending!r}, expected {_READABLE}.")


def _settle_json(source: Source) -> Source:
    """A ``.json`` file that does not begin with ``[`` is read line by line."""
    with open_bytes(source) as stream:
        head = without_marks(stream.read(BLOCK_BYTES)).lstrip()
    if head.startswith(b"["):
        return source
    if head.startswith(b"{") and not _whole(head.partition(b"\n")[0]):
        raise InputError(
            f"{source.path}: found one JSON object over several lines; expected a list of objects, or one object a line."
        )
    return replace(source, kind="jsonl")


def _settle_lines(source: Source) -> Source:
    """A file of lines that is one JSON list is read as that; a line that is a list among others is for the rules to judge."""
    with open_bytes(source) as stream:
        head = without_marks(stream.read(BLOCK_BYTES)).lstrip()
    if not head.startswith(b"["):
        return source
    first, *others = [line.strip() for line in head.split(b"\n") if line.strip()]
    alone = not others and first.startswith((b"[{", b"[ {"))
    over_lines = bool(others) and (first == b"[" or not (_is_json(first) or _is_json(others[0])))
    return replace(source, kind="json") if alone or over_lines else source


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _whole(line: bytes) -> bool:
    """Whether the braces of a line close; a line that is broken otherwise is for the rules to judge."""
    return line.rstrip().endswith(b"}")
