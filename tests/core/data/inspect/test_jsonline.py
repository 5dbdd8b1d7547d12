"""Faults of JSON itself: which, at which column, and that nothing sound is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.inspect import lines
from core.data.inspect.jsonline import MAX_DEPTH, MISSING, JsonReader, without_trailing_commas
from core.data.inspect.jsonlist import list_items
from core.data.inspect.scan import scan
from tests.core.data.inspect.files import assistant, chat, user, write

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON, st.booleans())
def test_sound_json_is_read_as_python_reads_it(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert JsonReader().read(text.encode()) == (json.loads(text), [])


@given(st.lists(JSON, max_size=4))
def test_a_list_is_cut_into_its_items(values: list[Any]) -> None:
    import io

    text = json.dumps(values, indent=1).encode()
    assert [json.loads(item) for item in list_items(io.BytesIO(text), "p")] == json.loads(text)


@given(JSON)
def test_commas_in_sound_json_stay(value: Any) -> None:
    text = json.dumps(value)
    assert without_trailing_commas(text) == text


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        (b'{"text": "a"', "invalid-json", 13),
        (b"{'text': 1}", "invalid-json", 2),
        (b"hello", "invalid-json", 1),
        (b'{"text": "a" "b": 1}', "invalid-json", 14),
        (b'{"text": 01}', "invalid-json", 11),
        (b'{"text": "a"} {"text": "b"}', "several-objects", 15),
        (b'{"text": "a\tb"}', "control-character", 12),
        (b'{"text": "a\x00b"}', "nul-byte", 12),
        ('{"text": "é'.encode() + b'\xff"}', "not-utf8", 12),
        (b"\xc3\x28", "not-utf8", 1),
        (b'{"text": "a",}', "trailing-comma", 13),
        (b'{"text": ["a", ], "b": {"c": 1,},}', "trailing-comma", 14),
        (b'{"text": "a"},', "trailing-comma", 14),
        (b'{"text": NaN}', "not-a-number", 10),
        (b'{"text": -Infinity}', "not-a-number", 10),
        (b'{"text": 1e400}', "not-a-number", None),
        (b'{"text": "a", "text": "b"}', "duplicate-key", None),
        (b'{"text": "a", "t\\u0065xt": "b"}', "duplicate-key", None),
        (b'{"a": {"b": 1, "b": 2}, "text": "c"}', "duplicate-key", None),
        (b'{"text": "\\ud800"}', "lone-surrogate", None),
        (b"[" * 10_000 + b"]" * 10_000, "too-deep", None),
        (b'{"text":' * 10_000 + b"1" + b"}" * 10_000, "too-deep", None),
        (b'{"text": ' + b"9" * 5000 + b"}", "invalid-json", None),
        (b"\xef\xbb\xbf{}", "bom", 1),
    ],
)
def test_each_fault_of_json_has_its_code_and_column(line: bytes, code: str, column: int | None) -> None:
    _, flaws = JsonReader().read(line)
    assert [(flaw.code, flaw.column) for flaw in flaws] == [(code, column)]
    assert flaws[0].message.endswith(".")


def test_which_byte_is_not_utf8_is_said(tmp_path: Path) -> None:
    found = scan(write(tmp_path, {"text": "a"}, b'{"text": "\xe9t\xe9"}', {"text": "b"}))
    (fault,) = found.faults
    assert fault.line == 2 and "byte 0xe9, byte 11 of the line" in fault.message
    assert found.encoding == "not utf-8" and found.rows == 2


def test_values_after_faults_are_those_that_can_be_kept() -> None:
    reader = JsonReader()
    assert reader.read(b'{"a": NaN, "b": 1e400}')[0] == {"a": None, "b": None}
    assert reader.read(b'{"a": 1, "a": 2}')[0] == {"a": 2}
    assert reader.read(b'{"a": "x\\ud800y"}')[0] == {"a": "x\ufffdy"}
    assert reader.read(b'{"a": [1, 2,],}')[0] == {"a": [1, 2]}
    assert reader.read(b'{"a": }')[0] is MISSING
    assert reader.read(b'{"a": "\\ud83d\\ude00 NaN, Infinity ,}"}') == ({"a": "😀 NaN, Infinity ,}"}, [])
    value, flaws = reader.read(b'{"a": 1.5e3}')
    assert math.isclose(value["a"], 1500) and not flaws


def test_depth_is_bounded_at_what_is_stated() -> None:
    at, beyond = (b"[" * depth + b"]" * depth for depth in (MAX_DEPTH, MAX_DEPTH + 1))
    assert JsonReader().read(at)[1] == []
    assert [flaw.code for flaw in JsonReader().read(beyond)[1]] == ["too-deep"]
    many = json.dumps(chat(*[user(), assistant()] * 200)).encode()
    assert JsonReader().read(many)[1] == []
    assert JsonReader().read(json.dumps({"a": "[" * 500}).encode())[1] == []


def test_an_unclosed_text_of_many_quotes_takes_no_time_to_judge() -> None:
    _, flaws = JsonReader().read(b'{"a": "' + b'\\"' * 200_000)
    assert [flaw.code for flaw in flaws] == ["invalid-json"]


@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 1 << 19)
    long = json.dumps({"text": "x" * (3 << 19)}).encode()
    rows = {"first": [long, chat()], "middle": [chat(), long, chat()], "last": [chat(), long]}[where]
    found = scan(write(tmp_path, *rows))
    assert [(fault.line, fault.code) for fault in found.faults] == [(rows.index(long) + 1, "line-too-long")]
    assert found.rows == len(rows) - 1 and found.lines == len(rows)


def test_line_ends_of_windows_and_separators_inside_texts(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes('{"text": "a\u2028b"}\r\n{"text": "c\x85d"}\r\n'.encode())
    found = scan(path)
    assert found.rows == found.lines == 2 and not found.faults


def test_empty_lines_are_counted_and_placed(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"text": "a"}\n\n{"text": "b"}\n \t\n\n')
    found = scan(path)
    assert [(fault.line, fault.code) for fault in found.faults] == [
        (2, "blank-line"),
        (4, "blank-line"),
        (5, "blank-line"),
    ]
    assert found.blank_lines == 3 and found.rows == 2


def test_a_broken_item_of_a_list_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(b'\xef\xbb\xbf[{"text": "a"}, {"text": }, {"text": "b" [}, {"text": "c",}, {"text": "d"},]')
    found = scan(path)
    assert [(fault.line, fault.code) for fault in found.faults] == [
        (1, "bom"), (2, "invalid-json"), (3, "invalid-json"), (4, "trailing-comma"), (6, "trailing-comma"),
    ]  # fmt: skip
    assert found.rows == 3 and found.encoding == "utf-8 with BOM"
