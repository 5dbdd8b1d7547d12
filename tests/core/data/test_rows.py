"""Every format reads to the same rows, and every bad line is told with its place."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.rows import read_placed_rows, read_rows
from core.errors import InputError

ROWS = [{"id": "a", "text": "one, two"}, {"id": "b", "text": 'a "quoted"\nline'}, {"id": "c", "text": "退款 🙂"}]


def _write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _message(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_rows(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_all_formats_agree(tmp_path: Path) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    cells = "".join(f'{row["id"]},"{row["text"].replace(chr(34), chr(34) * 2)}"\n' for row in ROWS)
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    files = [
        _write(tmp_path / "a.jsonl", lines),
        _write(tmp_path / "bom.jsonl", b"\xef\xbb\xbf" + lines.encode()),
        _write(tmp_path / "crlf.jsonl", "\r\n" + lines.replace("\n", "\r\n") + "\r\n"),
        _write(tmp_path / "lines.json", lines),
        _write(tmp_path / "a.json", json.dumps(ROWS, indent=1)),
        _write(tmp_path / "a.csv", "id,text\n" + cells),
        tmp_path / "a.parquet",
    ]
    for path in files:
        assert read_rows(path) == ROWS, path.name


def test_places_count_blank_lines_and_lines_inside_cells(tmp_path: Path) -> None:
    jsonl = _write(tmp_path / "a.jsonl", '\n{"a": 1}\n\n{"a": 2}\n')
    assert [row.place for row in read_placed_rows(jsonl)] == ["line 2", "line 4"]
    table = _write(tmp_path / "a.csv", 'a,b\n1,"x\ny"\n2,z\n')
    assert [row.place for row in read_placed_rows(table)] == ["line 2", "line 4"]
    listed = _write(tmp_path / "a.json", '[{"a": 1}, {"a": 2}]')
    assert [row.place for row in read_placed_rows(listed)] == ["item 1", "item 2"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", '{"a": 1}\n{"a": 2,}\n', ["line 2, column ", "not valid JSON", "'}'"]),
        ("a.jsonl", '{"a": 1}\n{"a": \n', ["line 2, column 6", "'the end'"]),
        ("a.jsonl", '{"a": 1}\n[1]\n', ["line 2", "found a list", ".json"]),
        ("a.jsonl", '{"a": 1}\n"b"\n', ["line 2", "found a text", "expected an object"]),
        ("a.jsonl", '{"a": 1}\nnull\n', ["line 2", "found null"]),
        ("a.jsonl", '{"a": NaN}\n', ["line 1", "found NaN"]),
        ("a.jsonl", "[" * 100_000, ["line 1", "not valid JSON"]),
        ("a.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', ["line 2", "0xff", "not UTF-8"]),
        ("a.jsonl", '{"a": 1}\n'.encode("utf-16"), ["UTF-16"]),
        ("a.jsonl", "\n \n", ["no rows"]),
        ("a.json", '[\n {"a": 1},\n oops\n]', ["line 3, column 2", "'oops'"]),
        ("a.json", '[{"a": 1}, 2]', ["item 2", "found a number"]),
        ("a.csv", "a,b\n1,2\n3\n", ["line 3", "found 1 cells, expected 2"]),
        ("a.csv", "a,a\n1,2\n", ["line 1", "'a' twice"]),
        ("a.csv", "a,\n1,2\n", ["line 1", "without a name"]),
        ("a.csv", 'a,b\n1,"2\n', ["line 2", "not valid CSV"]),
        ("a.csv", b"a,b\n1,\xff\n", ["line 2", "not UTF-8"]),
        ("a.parquet", b"no parquet", ["Parquet"]),
        ("a.txt", "x", ["'.txt'", ".jsonl"]),
    ],
)  # fmt: skip
def test_a_bad_file_is_told(tmp_path: Path, name: str, content: str | bytes, expected: list[str]) -> None:
    message = _message(_write(tmp_path / name, content))
    for part in expected:
        assert part in message


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "there is no such file" in _message(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").mkdir()
    assert "cannot be read" in _message(tmp_path / "b.jsonl")


def test_rows_come_out_as_json_can_hold_them(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", r'{"a\ud800": ["x\udfff", {"b": "\ud83d\ude42"}]}')
    assert read_rows(path) == [{"a�": ["x�", {"b": "🙂"}]}]
    table = pa.Table.from_pylist([{"day": date(2026, 1, 2), "n": math.nan, "raw": b"abc", "list": [1.5, math.inf]}])
    pq.write_table(table, tmp_path / "a.parquet")
    rows = read_rows(tmp_path / "a.parquet")
    assert rows == [{"day": "2026-01-02", "n": None, "raw": "<3 bytes>", "list": [1.5, None]}]
    json.dumps(rows, allow_nan=False)


@given(
    st.lists(
        st.dictionaries(st.text(), st.text() | st.integers(-(2**53), 2**53) | st.booleans() | st.none()), min_size=1
    )
)
def test_any_text_survives_jsonl(tmp_path_factory: pytest.TempPathFactory, rows: list[dict]) -> None:
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8", newline="")
    assert read_rows(path) == rows
