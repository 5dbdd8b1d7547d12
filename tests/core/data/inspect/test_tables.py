"""CSV, Parquet and Arrow: what stands in them, and what they may not lie about."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.inspect import tables
from core.data.inspect.read import iter_rows
from core.data.inspect.scan import scan
from core.errors import InputError
from tests.core.data.inspect.files import assistant, chat, system, user

ROWS = [chat(system(), user("你好"), assistant("好")), chat(), chat(user(""), assistant("x"))] * 200


def parquet(path: Path, rows: list[dict[str, Any]], **options: Any) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path, **options)
    return path


def folder(path: Path, rows: list[dict[str, Any]], shards: int = 2) -> Path:
    """Write what ``Dataset.save_to_disk`` writes."""
    path.mkdir()
    names = []
    for number in range(shards):
        table = pa.Table.from_pylist(rows[number::shards])
        names.append({"filename": f"data-{number:05d}-of-{shards:05d}.arrow"})
        with pa.OSFile(str(path / names[-1]["filename"]), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
    (path / "state.json").write_text(json.dumps({"_data_files": names}))
    return path


def test_parquet_is_read_and_judged(tmp_path: Path) -> None:
    bad = [chat(user(), {"role": "assisiant", "content": "a"}), {"messages": None}]
    path = parquet(tmp_path / "a.parquet", ROWS + bad, row_group_size=100)
    assert [row for _, row in iter_rows(path)] == ROWS + bad
    found = scan(path)
    assert (found.kind, found.encoding, found.rows, found.format.name) == ("parquet", "binary", 602, "messages")
    assert [(fault.line, fault.code) for fault in found.faults] == [(601, "unknown-role"), (602, "messages-not-a-list")]


def test_parquet_inside_gzip_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet.gz"
    path.write_bytes(gzip.compress(parquet(tmp_path / "a.parquet", ROWS).read_bytes(), mtime=0))
    assert scan(path).rows == len(ROWS)


def test_a_field_that_some_messages_lack_is_no_fault_in_a_table(tmp_path: Path) -> None:
    call = {"function": {"name": "f", "arguments": "{}"}}
    rows = [chat(user(), {"role": "assistant", "content": None, "tool_calls": [call]}), chat()]
    found = scan(parquet(tmp_path / "a.parquet", rows))
    assert found.faults == () and found.format.name == "tool-calls"


def test_times_bytes_and_nan_become_what_json_has(tmp_path: Path) -> None:
    from datetime import datetime
    from decimal import Decimal

    row = {"text": "a", "at": datetime(2026, 1, 2), "raw": b"abc", "x": float("nan"), "price": Decimal("1.5")}
    ((_, read),) = iter_rows(parquet(tmp_path / "a.parquet", [row]))
    assert read == {"text": "a", "at": "2026-01-02T00:00:00", "raw": "<3 bytes>", "x": None, "price": 1.5}


def test_a_datasets_folder_is_read_as_datasets_reads_it(tmp_path: Path) -> None:
    path = folder(tmp_path / "saved", ROWS)
    found = scan(path)
    assert (found.kind, found.rows, found.faults) == ("arrow", 600, ())
    assert [row for _, row in iter_rows(path)] == ROWS[::2] + ROWS[1::2]
    (path / "state.json").unlink()
    assert scan(path).rows == 600, "a folder of Arrow files without a state"
    assert scan(path / "data-00000-of-00002.arrow").rows == 300


def test_arrows_file_format_is_read_too(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    assert [row for _, row in iter_rows(tmp_path / "a.arrow")] == ROWS


def test_folders_that_are_no_dataset(tmp_path: Path) -> None:
    saved = folder(tmp_path / "saved", ROWS)
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["saved"]}')
    with pytest.raises(InputError, match=r"with splits \(saved\)"):
        scan(tmp_path)
    for state in (
        '{"_data_files": [{"filename": "../saved/x.arrow"}]}',
        '{"_data_files": 3}',
        "no",
        '{"_data_files": []}',
    ):
        (saved / "state.json").write_text(state)
        with pytest.raises(InputError, match="state.json"):
            scan(saved)
    (saved / "state.json").write_text('{"_data_files": [{"filename": "gone.arrow"}]}')
    with pytest.raises(InputError, match="no such file"):
        scan(saved)


def test_a_footer_that_promises_more_rows_than_there_are(tmp_path: Path) -> None:
    metadata = pq.read_metadata(parquet(tmp_path / "a.parquet", ROWS))
    path = tmp_path / "a.parquet"
    lying = path.read_bytes()
    end = len(lying) - 8
    start = end - struct.unpack("<I", lying[end : end + 4])[0]
    footer = lying[start:end]
    assert metadata.num_rows == 600
    # Thrift's compact protocol writes 600 as the zigzag varint of 1200; the footer has it for the file and for its row group.
    varint = bytes([1200 & 0x7F | 0x80, 1200 >> 7])
    first = footer.index(b"\x16" + varint)
    more = bytes([1202 & 0x7F | 0x80, 1202 >> 7])
    path.write_bytes(lying[:start] + footer[:first] + b"\x16" + more + footer[first + 3 :] + lying[end:])
    with pytest.raises(InputError, match="the footer promises"):
        scan(path)


@pytest.mark.parametrize("damage", ["cut", "footer length", "middle", "columns beyond the end"])
def test_a_damaged_parquet_is_a_sentence(tmp_path: Path, damage: str) -> None:
    path = parquet(tmp_path / "a.parquet", ROWS, compression="none", use_dictionary=False)
    whole = path.read_bytes()
    footer = len(whole) - 8 - struct.unpack("<I", whole[-8:-4])[0]
    damaged = {
        "cut": whole[:-30],
        "footer length": whole[:-8] + struct.pack("<I", 1 << 30) + b"PAR1",
        "middle": whole[:4] + b"\xff" * 200 + whole[204:],
        "columns beyond the end": b"PAR1" + whole[footer:],
    }[damage]
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="a.parquet"):
        scan(path)


def test_a_parquet_that_unfolds_without_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "RATIO_FREE_BYTES", 1 << 20)
    path = parquet(tmp_path / "a.parquet", [{"text": "0" * 100_000}] * 200, use_dictionary=False, compression="zstd")
    with pytest.raises(InputError, match="decompression bomb"):
        scan(path)


def test_a_damaged_arrow_file_is_a_sentence(tmp_path: Path) -> None:
    path = folder(tmp_path / "saved", ROWS, shards=1)
    shard = next(path.glob("*.arrow"))
    whole = shard.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:8] + b"\xff" * 100 + whole[108:], b"hello, no arrow at all"):
        shard.write_bytes(damaged)
        with pytest.raises(InputError, match="cannot be read as Arrow"):
            scan(path)


def csv_file(path: Path, content: bytes) -> Path:
    (path / "a.csv").write_bytes(content)
    return path / "a.csv"


def test_csv_is_read_and_places_are_lines(tmp_path: Path) -> None:
    path = csv_file(tmp_path, 'prompt,completion\r\nHi,"two\nlines, ""quoted"""\r\n你好,好\n'.encode())
    assert list(iter_rows(path)) == [
        (2, {"prompt": "Hi", "completion": 'two\nlines, "quoted"'}), (4, {"prompt": "你好", "completion": "好"}),
    ]  # fmt: skip
    found = scan(path)
    assert (found.kind, found.format.name, found.rows, found.faults) == ("csv", "prompt-completion", 2, ())


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        (b"prompt,completion\na,b\na\na,b,c\na,b\n", [(3, "ragged-row"), (4, "ragged-row")]),
        (b"prompt,completion\na,b\n\na,b\n", [(3, "blank-line")]),
        (b"prompt,completion\na,\xe9\n", [(2, "not-utf8")]),
        (b"\xef\xbb\xbfprompt,completion\na,b\n", [(1, "bom")]),
        (b"prompt,completion\na,b\x00\n", [(2, "nul-byte")]),
        (b'prompt,completion\na,b\na,"b\n', [(3, "invalid-csv")]),
        (b'prompt,completion\na,"b" c\na,b\n', [(2, "invalid-csv")]),
    ],
)
def test_faults_of_csv(tmp_path: Path, content: bytes, faults: list[tuple[int, str]]) -> None:
    assert [(fault.line, fault.code) for fault in scan(csv_file(tmp_path, content)).faults] == faults


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"text,text\na,b\n", "the column 'text' twice"),
        (b"text,\na,b\n", "a column without a name"),
        (b'text\n"' + b"x" * 200_000 + b'"\n', "a cell of more than 131,072 characters"),
    ],
)
def test_csv_that_cannot_be_read(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        scan(csv_file(tmp_path, content))


@pytest.mark.parametrize("rest", ["", "a,b\n"])
def test_a_csv_line_that_is_too_long_is_a_fault_and_the_other_rows_are_read(
    tmp_path: Path, rest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.data.inspect.lines.MAX_LINE_BYTES", 1000)
    monkeypatch.setattr("core.data.inspect.stream.BLOCK_BYTES", 100)
    found = scan(csv_file(tmp_path, f"prompt,completion\na,b\n{'x' * 3000},b\n{rest}".encode()))
    assert [(fault.line, fault.code) for fault in found.faults] == [(3, "line-too-long")]
    assert found.rows == (2 if rest else 1)
