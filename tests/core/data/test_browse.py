"""The table of a file's rows: what a search finds, what a page shows, and that what is kept stands for its file alone."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.browse import fault_page, faults_at, faulty_lines, parse_ranges, range_text, row_table
from core.data.inspect import records
from core.data.inspect.scan import scan
from core.data.profile.progress import Cancelled
from core.errors import InputError

HOSTILE = [
    "<script>alert(1)</script>",
    "$x^2$ :red[x]",
    "\u202eright to left",
    "a\u200bb",
    "ﬁne Straße",
    "日本語 と 中文",
    "",
    "\x85 \x1f",
]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))


def _write(path: Path, rows: list[Any]) -> Path:
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows)
    )
    return path


def _chat(asked: str, answered: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}], **more}


def test_every_place_of_the_file_is_a_row_unreadable_ones_too(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", [_chat("one", "1"), "{broken", "", _chat("two", "2", id="x7")])
    table = row_table(path, scan(path).sha256)
    assert table.lines.tolist() == [1, 2, 3, 4]
    page = table.page(range(4))
    assert [row.readable for row in page] == [True, False, False, True]
    assert (page[0].question, page[0].answer, page[0].turns, page[0].characters) == ("one", "1", 2, 4)
    assert table.open(1).raw == "{broken" and table.open(1).fields is None
    assert table.open(3).fields == _chat("two", "2", id="x7")
    assert table.position(4) == 3 and table.position(5) is None and table.position(0) is None


@pytest.mark.parametrize("text", [one for one in HOSTILE if one.strip()])
def test_a_search_finds_what_stands_in_a_row_case_aside_and_shows_it_as_it_is(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path / "a.jsonl", [_chat("nothing", "here"), _chat(f"before {text} behind", "yes")])
    table = row_table(path, scan(path).sha256)
    assert table.find(text.swapcase()).tolist() == [1] or text.casefold() != text.swapcase().casefold()
    assert table.find(text).tolist() == [1]
    assert table.page([1])[0].question == f"before {text} behind"


def test_a_search_never_reaches_over_the_end_of_a_row(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", [_chat("a", "end"), _chat("begin", "b")])
    assert row_table(path, scan(path).sha256).find("endbegin").tolist() == []


def test_other_fields_are_searched_too(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", [_chat("q", "a", id="r-1"), _chat("q", "a", id="r-2", topic="Geology")])
    table = row_table(path, scan(path).sha256)
    assert table.find("r-2").tolist() == [1] and table.find("geology").tolist() == [1]


@given(st.lists(st.text("abA日 ", max_size=6), min_size=1, max_size=30), st.text("abA日", min_size=1, max_size=3))
def test_a_search_is_what_looking_at_each_row_would_find(tmp_path_factory: Any, texts: list[str], wanted: str) -> None:
    path = _write(tmp_path_factory.mktemp("rows") / "a.jsonl", [{"prompt": text, "completion": "-"} for text in texts])
    table = row_table(path, scan(path).sha256)
    expected = [place for place, text in enumerate(texts) if wanted.casefold() in text.casefold()]
    assert table.find(wanted).tolist() == expected


@pytest.mark.parametrize("wanted", ["e", "fe", "日", "even", "odd", "1"])
def test_what_stands_in_many_rows_is_found_in_all_of_them(tmp_path: Path, wanted: str) -> None:
    asked = [("日 even" if n % 2 else "fe") + ("" if n % 3 else " 1") for n in range(12_000)]
    path = _write(tmp_path / "a.jsonl", [{"prompt": text, "completion": "-"} for text in asked])
    expected = [place for place, text in enumerate(asked) if wanted in text]
    assert row_table(path, scan(path).sha256).find(wanted).tolist() == expected


def test_a_row_that_is_read_in_spite_of_its_fault_opens(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "marked"}\n{"text": "comma",}\n{"text": NaN}\n')
    table = row_table(path, scan(path).sha256)
    assert [table.open(place).fields for place in range(3)] == [{"text": "marked"}, {"text": "comma"}, {"text": None}]


def test_lines_narrow_a_search_and_pages_keep_the_asked_order(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", [_chat(f"number {n}", "x" if n % 2 else "y") for n in range(1, 5001)])
    table = row_table(path, scan(path).sha256)
    found = table.find("number 12", np.array([12, 120, 1200, 4999]))
    assert table.lines[found].tolist() == [12, 120, 1200]
    assert [row.line for row in table.page([4000, 3, 2500])] == [4001, 4, 2501]


@pytest.mark.parametrize("ending", [".csv", ".jsonl.gz", ".json"])
def test_other_layouts_are_rows_all_the_same(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    rows = [{"prompt": "p, 1", "completion": "c"}, {"prompt": "two\nlines", "completion": "d"}]
    if ending == ".csv":
        path.write_text('prompt,completion\n"p, 1",c\n"two\nlines",d\n')
    elif ending == ".json":
        path.write_text(json.dumps(rows, indent=1))
    else:
        path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode(), mtime=0))
    table = row_table(path, scan(path).sha256)
    assert [table.open(place).fields for place in range(table.n)] == rows
    assert table.find("two\nlines").tolist() == [1]


def test_a_table_is_made_once_and_made_again_when_its_folder_is_damaged(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", [_chat("one", "1")])
    digest = scan(path).sha256
    first = row_table(path, digest)
    path.write_text("")  # what is kept needs the file no more
    assert row_table(path, digest).page([0])[0].question == "one"
    (first.folder / "rows.parquet").write_bytes(b"nonsense")
    _write(path, [_chat("two", "2")])
    assert row_table(path, digest).page([0])[0].question == "two"


def test_work_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", [_chat("one", "1")] * 4100)
    digest = scan(path).sha256
    told: list[int] = []

    def stop(step: str, rows: int) -> bool:
        told.append(rows)
        return False

    with pytest.raises(Cancelled):
        row_table(path, digest, stop)
    assert told == [2000] and list((tmp_path / "cache" / "rows").iterdir()) == []
    assert row_table(path, digest).n == 4100


def test_all_faults_page_those_on_disk_too(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", [_chat("q", "a") | {"messages": []}] * (records.FAULTS_KEPT + 30) + ["{"])
    found = scan(path)
    assert found.faults_file is not None
    last = fault_page(found, None, (records.FAULTS_KEPT + 31) // 50 + 1, 50)
    assert [last[0].line, last[-1].line, last[-1].code] == [
        records.FAULTS_KEPT + 1,
        records.FAULTS_KEPT + 31,
        "invalid-json",
    ]
    assert [fault.line for fault in fault_page(found, "invalid-json", 1, 50)] == [records.FAULTS_KEPT + 31]
    assert [fault.code for fault in faults_at(found, records.FAULTS_KEPT + 31)] == ["invalid-json"]
    assert faults_at(found, records.FAULTS_KEPT + 32) == []
    assert faulty_lines(found, "invalid-json").tolist() == [records.FAULTS_KEPT + 31]
    assert len(faulty_lines(found, None)) == records.FAULTS_KEPT + 31


def test_ranges_are_read_as_people_write_them() -> None:
    found = parse_ranges("3, 17 20 - 22;9\u201310, 5-4")
    assert found is not None and found.tolist() == [3, 4, 5, 9, 10, 17, 20, 21, 22]
    assert parse_ranges("  ") is None


@pytest.mark.parametrize("text", ["x", "1-", "-3", "1..4", "3,<b>", "99999999999999"])
def test_what_is_no_range_is_said(text: str) -> None:
    with pytest.raises(InputError, match=r"among the lines; expected numbers and ranges such as 3, 17, 20-25\.$"):
        parse_ranges(text)


def test_a_huge_range_is_bounded() -> None:
    found = parse_ranges("1-999999999999,5")
    assert found is not None and len(found) == 1_000_000


@given(st.sets(st.integers(1, 400), min_size=1))
def test_a_text_of_ranges_is_read_back(lines: set[int]) -> None:
    found = parse_ranges(range_text(tuple(lines)))
    assert found is not None and found.tolist() == sorted(lines)
