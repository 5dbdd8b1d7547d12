"""What cannot be read at all is a sentence; what can be read is recognised by its bytes."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest

from core.data.inspect import marks, stream
from core.data.inspect.read import items, iter_rows
from core.data.inspect.scan import scan
from core.data.inspect.source import check_unchanged, open_source, sha256
from core.errors import InputError
from tests.core.data.inspect.files import assistant, chat, user, write

ROWS = [chat(), chat(user("你好"), assistant("好"))]
TEXT = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


def zstd(data: bytes) -> bytes:
    return pa.Codec("zstd").compress(data, asbytes=True)


def packed(path: Path, data: bytes) -> Path:
    if path.suffix in (".gz", ".gzip"):
        path.write_bytes(gzip.compress(data, mtime=0))
    else:
        with pa.CompressedOutputStream(str(path), "zstd") as out:
            out.write(data)
    return path


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst", "a.json.gz", "a.ndjson.zst", "a.gz"])
def test_compressed_json_lines_are_read(tmp_path: Path, name: str) -> None:
    path = packed(tmp_path / name, TEXT)
    assert [row for _, row in iter_rows(path)] == ROWS
    found = scan(path)
    assert found.compression == ("gzip" if name.endswith("gz") else "zstd") and found.rows == 2 and not found.faults


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_a_json_list_is_read_by_item(tmp_path: Path, name: str) -> None:
    body = json.dumps(ROWS, indent=2).encode()
    path = packed(tmp_path / name, body) if name.endswith("gz") else tmp_path / name
    if not name.endswith("gz"):
        path.write_bytes(body)
    assert list(iter_rows(path)) == [(1, ROWS[0]), (2, ROWS[1])]
    assert scan(path).kind == "json"


@pytest.mark.parametrize("name", ["upload", "data.txt"])
def test_without_a_known_ending_the_first_character_decides(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(TEXT)
    assert scan(tmp_path / name).kind == "jsonl"
    (tmp_path / name).write_bytes(json.dumps(ROWS).encode())
    assert scan(tmp_path / name).kind == "json"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b"", "is empty (0 bytes)"),
        ("a.json", b"[]", "has no rows"),
        ("a.csv", b"text,id\n", "has no rows"),
        ("a.jsonl", '{"text": "a"}'.encode("utf-16"), "found UTF-16"),
        ("a.json", b'{\n "a": 1\n}', "one JSON object over several lines"),
        ("a.json", b'[{"a": 1}', "item 1: the file ends before the list is closed"),
        ("a.json", b'[{"a": 1}] x', "after the list"),
        ("a.json", b'[{"a": "x}]', "item 1: the file ends before the list is closed"),
        ("a.zip", b"PK\x03\x04rest", "ZIP archive"),
        ("a.docx", b"hello", "found the ending '.docx'"),
        ("a.parquet", b"hello, I am no Parquet", "the ending says parquet"),
        ("a.jsonl.gz", b"plain", "the ending says gzip, but the bytes are not"),
        ("a.jsonl.gz", gzip.compress(TEXT, mtime=0)[:-20], "gzip data cannot be unfolded"),
        ("a.jsonl.zst", zstd(TEXT)[:-5], "zstd data cannot be unfolded"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        scan(path)
    assert told in str(error.value) and name in str(error.value)


def test_places_that_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    for name, told in {
        ".": "a folder without a dataset",
        "loop": "leads back to itself",
        "none": "no such file",
        "pipe": "a pipe",
    }.items():
        with pytest.raises(InputError, match=told):
            scan(tmp_path / name)


def test_a_file_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, chat())

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="cannot be read .Permission denied"):
        scan(path)


@pytest.mark.parametrize("name", ["bomb.jsonl.gz", "bomb.jsonl.zst"])
def test_a_bomb_is_stopped_at_the_stated_ratio(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RATIO_FREE_BYTES", 1 << 20)
    path = packed(tmp_path / name, b'{"text": "' + b"0" * (5 << 20) + b'"}\n')
    with pytest.raises(InputError, match="200 times their size.*decompression bomb"):
        scan(path)
    honest = packed(tmp_path / f"honest{name[4:]}", os.urandom(3 << 20).hex().encode())
    assert open_source(honest).compression
    assert sum(1 for _ in items(open_source(honest))) == 1


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, *[chat()] * 3)
    reading = iter_rows(path)
    next(reading)
    with path.open("ab") as stream_:
        stream_.write(TEXT)
    with pytest.raises(InputError, match="changed while it was read"):
        list(reading)


@pytest.mark.parametrize("change", ["rewritten in place", "replaced", "removed"])
def test_a_change_of_the_same_size_is_seen(tmp_path: Path, change: str) -> None:
    path = write(tmp_path, {"text": "aaa"})
    source = open_source(path)
    before = path.stat()
    if change == "rewritten in place":
        path.write_bytes(b'{"text": "bbb"}\n')
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == "replaced":
        write(tmp_path, {"text": "bbb"}, name="other").replace(path)
    else:
        path.unlink()
    with pytest.raises(InputError, match="changed while it was read"):
        check_unchanged(source)


def test_scan_itself_sees_a_change(tmp_path: Path) -> None:
    path = write(tmp_path, *[chat()] * 2000)

    def write_more(_: float) -> None:
        with path.open("ab") as out:
            out.write(TEXT)

    with pytest.raises(InputError, match="changed while it was read"):
        scan(path, progress=write_more, workers=1)


def test_the_hash_is_of_the_bytes(tmp_path: Path) -> None:
    import hashlib

    path = write(tmp_path, *ROWS)
    assert scan(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest() == sha256(open_source(path))


def test_the_stated_limits_are_the_modules_own() -> None:
    assert stream.MAX_RATIO == 200
    assert marks.BOM == b"\xef\xbb\xbf"
