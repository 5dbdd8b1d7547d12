"""What a file is as a whole: its encoding, whether it is JSON Lines, and what it unfolds to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.inspect.proof import quotes_outside_texts
from core.data.inspect.read import items, iter_rows
from core.data.inspect.repair import repair
from core.data.inspect.scan import sample, scan
from core.data.inspect.source import open_source
from core.errors import InputError
from tests.core.data.inspect.files import assistant, chat, user, write

ROW = chat(user("你好"), assistant())


def told(path: Path, **options: Any) -> list[tuple[int, str]]:
    return [(fault.line, fault.code) for fault in scan(path, **options).faults]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"), ("utf-32-le", "UTF-32"), ("utf-32-be", "UTF-32"),
    ],
)  # fmt: skip
def test_wide_encodings_are_named_with_and_without_a_mark(tmp_path: Path, encoding: str, name: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes((json.dumps(ROW) + "\n").encode(encoding))
    with pytest.raises(InputError, match=rf"found {name} \(byte 0x.. in line 1\), expected UTF-8"):
        scan(path)


def test_nul_bytes_alone_are_no_encoding(tmp_path: Path) -> None:
    assert told(write(tmp_path, b"\0" * 64)) == [(1, "nul-byte")]
    assert told(write(tmp_path, ROW, b'{"messages": "\0\0\0"}')) == [(2, "nul-byte")]


@pytest.mark.parametrize("name", ["data.jsonl", "data.json"])
def test_two_byte_order_marks_are_one_fault_and_both_go(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = json.dumps(ROW) if name.endswith("l") else json.dumps([ROW])
    path.write_bytes(b"\xef\xbb\xbf\xef\xbb\xbf" + content.encode())
    assert told(path) == [(1, "bom")] and scan(path).rows == 1
    repair(path, tmp_path / "out.jsonl")
    assert told(tmp_path / "out.jsonl") == []


def test_a_line_of_a_mark_alone_is_an_empty_line(tmp_path: Path) -> None:
    assert told(write(tmp_path, b"\xef\xbb\xbf", ROW)) == [(1, "bom"), (1, "blank-line")]


@pytest.mark.parametrize("indent", [None, 1])
def test_a_list_in_a_file_of_lines_is_one_fault_with_a_repair(tmp_path: Path, indent: int | None) -> None:
    path, out = tmp_path / "data.jsonl", tmp_path / "out.jsonl"
    path.write_text(json.dumps([ROW, ROW], indent=indent))
    found = scan(path)
    assert told(path) == [(1, "not-json-lines")] and found.rows == 2 and found.format.name == "messages"
    assert (
        found.faults[0].message == "Found a JSON list as the layout of the file; expected one JSON object on each line."
    )
    assert repair(path, out).counts == {"not-json-lines": 1}
    assert told(out, strict=True) == [] and [row for _, row in iter_rows(out)] == [ROW, ROW]


@pytest.mark.parametrize("line", [b"[1, 2]", b'[{"messages": []}]', b'[{"messages": '])
def test_a_list_among_objects_is_a_fault_of_its_line(tmp_path: Path, line: bytes) -> None:
    path = write(tmp_path, line, ROW, ROW)
    assert [place for place, _ in told(path)] == [1] and scan(path).rows == 2


def test_strict_wants_json_lines(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([ROW]))
    (tmp_path / "a.csv").write_text("text\nhello\n")
    pq.write_table(pa.Table.from_pylist([ROW]), tmp_path / "a.parquet")
    for name in ("a.json", "a.csv", "a.parquet"):
        assert told(tmp_path / name) == []
        assert told(tmp_path / name, strict=True) == [(1, "not-json-lines")]
        repair(tmp_path / name, tmp_path / f"{name}.jsonl", strict=True)
        assert told(tmp_path / f"{name}.jsonl", strict=True) == []
    (tmp_path / "none.json").write_text("[]")
    with pytest.raises(InputError, match="no rows"):
        scan(tmp_path / "none.json", strict=True)


def test_an_evaluation_file_may_have_fields_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, {"ticket": "Where is it?", "urgency": 2}, b'{"ticket": ')
    assert told(path) == [(1, "unknown-form"), (2, "invalid-json")]
    assert told(path, evaluation=True) == [(2, "invalid-json")]
    assert told(path, evaluation=True, strict=True) == [(1, "missing-messages"), (2, "invalid-json")]
    assert told(write(tmp_path, chat(user())), evaluation=True) == [(1, "no-pair")]


def test_faults_of_a_csv_header_stand_on_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbftext\nhello\n\n")
    found = scan(path)
    assert told(path) == [(1, "bom"), (3, "blank-line")]
    assert (found.rows, found.blank_lines, found.format.confidence) == (1, 1, 1.0)
    path.write_text("prompt;completion\na;b\n")
    with pytest.raises(InputError, match=r"line 1: found one column 'prompt;completion'.*';'.*expected commas"):
        scan(path)
    path.write_text('text\nhello\n"never closed\nx\n')
    assert scan(path).faults[0].message == "Found a quote that is never closed; expected CSV."


def test_numbers_and_line_ends_are_told_without_words_of_the_reader(tmp_path: Path) -> None:
    long = scan(write(tmp_path, b'{"text": "a", "n": ' + b"9" * 5000 + b"}")).faults[0].message
    assert long == "Found a number of thousands of digits; expected a number that a reader can hold."
    returns = scan(write(tmp_path, b'{"text": "a"}\r{"text": "b"}')).faults[0].message
    assert "end in carriage returns alone" in returns


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_one_long_value_stored_once_for_many_rows_is_a_bomb(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"bomb.{kind}"
    once = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), ["a" * 1_000_000])
    table = pa.table({"text": once})
    if kind == "parquet":
        pq.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    assert len(sample(open_source(path))[0]) < 100  # what is held of the first rows is bounded
    with pytest.raises(InputError, match="decompression bomb"):
        scan(path)


ODD = [
    b'{"a": 1, "a": 2}', b'{"a": "\\ud800"}', b'{"a": "\\ud800\\u0041"}', b'{"a": "\\udc00\\ud800x"}', b'{"a": NaN}', b'{"a": 1e999}',
    b'\xef\xbb\xbf{"a": 1}', b'{"a": "\xff"}', b'{"a": 1},', b'{"a": [1, 2,]}', b"", b"  ", b'{"a": 1}\r', b"[1]", b"3",
    b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}", b'{"a": ' + b"[" * 101 + b"]" * 101 + b"}", b'{"a": "\\u0000"}', b'{"a": "\0"}',
    b'{"a": 12345678901234567890123, "b": -0, "c": 1.0, "d": 1e5}', '{"你": "😀\\ud83d\\ude00"}'.encode(), b'{"a": ' + b"9" * 5000 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("line", ODD)
def test_the_fast_reader_of_rows_gives_what_the_rules_read(tmp_path: Path, line: bytes) -> None:
    path = write(tmp_path, line, {"a": 1})
    slow = [(item.place, item.row) for item in items(open_source(path)) if item.row is not None]
    assert repr(list(iter_rows(path))) == repr(slow)


@pytest.mark.parametrize(
    "text", ["", "a", '"', "\\", '\\"', '"\\', '\\\\"', '"\\\\\\"', "\\\\\\", 'say "x"', "\u0022\\n", "你\\" * 5]
)
def test_quotes_outside_of_texts_are_counted(text: str) -> None:
    rows = [{"a": text, "b": [text, text]}, {text: 1}]
    raw = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    assert quotes_outside_texts(raw) == 2 * (1 + 1 + 3 + 1)
