"""Repairs: what a repaired copy changes, that it mends what it says, and that the original stays as it is."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.inspect.repair import repair
from core.data.inspect.roles import ROLES, ROLES_WITH_TOOL, meant_role
from core.data.inspect.scan import scan
from core.errors import InputError
from tests.core.data.inspect.files import assistant, chat, system, user, write

SAFE = {"bom", "blank-line", "trailing-comma", "unknown-role", "from-value-keys", "system-not-first"}


def said(role: str, text: str = "a") -> dict[str, Any]:
    return {"role": role, "content": text}


@pytest.mark.parametrize(
    ("role", "meant"),
    [
        ("assisiant", "assistant"), ("assitant", "assistant"), ("assistent", "assistant"), ("Assistant", "assistant"),
        ("ASSISTANT ", "assistant"), ("gpt", "assistant"), ("bot", "assistant"), ("model", "assistant"), ("AI", "assistant"),
        ("usr", "user"), ("human", "user"), ("User", "user"), ("uesr", "user"), ("sytem", "system"), ("sys", "system"),
        ("wizard", None), ("", None), ("developer", None), ("x" * 10_000, None),
    ],
)  # fmt: skip
def test_what_a_wrong_role_means(role: str, meant: str | None) -> None:
    assert meant_role(role, ROLES) == meant
    assert meant_role("tol", ROLES_WITH_TOOL) == "tool"


def test_each_safe_repair_is_made_and_listed(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        b"\xef\xbb\xbf" + json.dumps(chat()).encode(),
        chat(user(), said("assisiant")),
        chat(user(), system("S"), assistant()),
        json.dumps(chat()).encode()[:-1] + b",}",
        b"",
        chat({"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}),
        chat() | {"note": "left  as\tit is"},
        b"",
    )
    before = path.read_bytes()
    report = repair(path, tmp_path / "out.jsonl")
    assert path.read_bytes() == before
    assert report.counts == {
        "bom": 1, "unknown-role": 3, "system-not-first": 1, "trailing-comma": 1, "blank-line": 2, "from-value-keys": 2,
    }  # fmt: skip
    assert report.left == {} and report.rows == 6
    assert [(one.line, one.code) for one in report.repairs][:3] == [
        (1, "bom"),
        (2, "unknown-role"),
        (3, "system-not-first"),
    ]
    assert report.repairs[1].before == "'assisiant'" and report.repairs[1].after == "'assistant'"
    lines = (tmp_path / "out.jsonl").read_bytes().split(b"\n")
    assert lines[0] == json.dumps(chat()).encode() == lines[3]
    assert json.loads(lines[2]) == chat(system("S"), user(), assistant())
    assert json.loads(lines[4]) == chat(user("a"), assistant("b"))
    assert lines[5] == before.split(b"\n")[6] and lines[6:] == [b""]
    assert scan(tmp_path / "out.jsonl").faults == ()


UNSAFE: list[Any] = [
    b'{"messages": [',
    b'{"messages": [{"role": "usr", "content": "a", "content": "b"}]}',
    b'{"messages": NaN}',
    b'{"messages": [{"role": "user", "content": "\xff"}]}',
    b'{"a": 1} {"b": 2}',
    chat(user(), said("wizard")),
    chat(system(), system(), user(), assistant()),
    chat(user(), user()),
    {"text": "a"},
]


@pytest.mark.parametrize("row", UNSAFE)
def test_what_has_no_safe_repair_is_left_byte_for_byte(tmp_path: Path, row: Any) -> None:
    path = write(tmp_path, chat(), chat(), row)
    report = repair(path, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == path.read_bytes()
    assert report.counts == {} and report.left == scan(path).fault_counts


ROLE = st.sampled_from(["system", "user", "assistant", "assisiant", "Human", "usr", "wizard"])
MESSAGE = st.one_of(
    st.builds(said, ROLE, st.text(st.characters(exclude_categories=["Cs"]), max_size=5)),
    st.builds(lambda role, text: {"from": role, "value": text}, ROLE, st.text("ab,}]\n", max_size=5)),
    st.just({"role": "user"}), st.just("hello"),
)  # fmt: skip
CHAT = st.lists(MESSAGE, max_size=4).map(lambda messages: {"messages": messages})
LINE = st.one_of(
    CHAT.map(lambda row: json.dumps(row).encode()),
    CHAT.map(lambda row: json.dumps(row, ensure_ascii=False).encode()[:-2] + b",],}"),
    st.just(b""), st.sampled_from([row for row in UNSAFE if isinstance(row, bytes)]),
)  # fmt: skip


@given(lines=st.lists(LINE, max_size=6), bom=st.booleans(), strict=st.booleans())
@settings(max_examples=120, deadline=None)
def test_a_repaired_copy_has_no_fault_that_had_a_repair(lines: list[bytes], bom: bool, strict: bool) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = write(folder, (b"\xef\xbb\xbf" if bom else b"") + json.dumps(chat()).encode(), *lines)
        before, original = scan(path, strict=strict), path.read_bytes()
        report = repair(path, folder / "out.jsonl", strict=strict)
        after = scan(folder / "out.jsonl", strict=strict)
        assert path.read_bytes() == original
    assert after.fault_counts == report.left
    assert after.rows == before.rows
    hard = {
        fault.code for fault in before.faults if fault.line in {one.line for one in before.faults if not one.repair}
    }
    mended = {fault.code for fault in before.faults if fault.repair}
    assert not (mended & set(after.fault_counts)) - hard
    assert set(report.counts) <= SAFE


def test_sharegpt_is_mended_in_its_own_names_and_renamed_for_the_strict_contract(tmp_path: Path) -> None:
    row = {"conversations": [{"from": "humna", "value": "a"}, {"from": "gpt", "value": "b"}], "id": 1}
    path = write(tmp_path, row, {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]})
    repair(path, tmp_path / "own.jsonl")
    assert json.loads((tmp_path / "own.jsonl").read_text().splitlines()[0])["conversations"][0]["from"] == "human"
    report = repair(path, tmp_path / "strict.jsonl", strict=True)
    assert report.counts["missing-messages"] == 2
    assert json.loads((tmp_path / "strict.jsonl").read_text().splitlines()[1]) == chat(user("a"), assistant("b"))


def test_a_system_message_is_not_moved_from_an_answer_into_a_prompt(tmp_path: Path) -> None:
    row = {"prompt": [user()], "chosen": [assistant("a"), system()], "rejected": [assistant("b")]}
    path = write(tmp_path, row)
    assert [fault.repair for fault in scan(path).faults] == [None]
    assert repair(path, tmp_path / "out.jsonl").counts == {}
    moved = write(tmp_path, {"prompt": [user(), system()], "completion": [assistant()]}, name="b.jsonl")
    assert repair(moved, tmp_path / "b-out.jsonl").counts == {"system-not-first": 1}


@pytest.mark.parametrize("kind", ["json", "parquet", "csv"])
def test_other_kinds_are_repaired_into_json_lines(tmp_path: Path, kind: str) -> None:
    path, out = tmp_path / f"a.{kind}", tmp_path / "out.jsonl"
    rows = [chat(user("你"), said("gpt")), chat()]
    if kind == "json":
        path.write_text(json.dumps(rows, indent=2)[:-2] + ",]")
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_bytes(b"\xef\xbb\xbftext\nhello\n\nbye\n")
    repair(path, out)
    assert scan(out).faults == () and scan(out).rows == 2


def test_a_ragged_row_cannot_be_copied(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("prompt,completion\na,b\na\n")
    with pytest.raises(InputError, match=r"line 3.*mend it by hand"):
        repair(tmp_path / "a.csv", tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_nothing_is_written_over_and_only_json_lines_is_written(tmp_path: Path) -> None:
    path = write(tmp_path, chat())
    for out, told in {
        "data.jsonl": "such a file already",
        "out.json": "is JSON Lines",
        "none/out.jsonl": "cannot be written",
    }.items():
        with pytest.raises(InputError, match=told):
            repair(path, tmp_path / out)
    assert path.read_bytes() == json.dumps(chat()).encode() + b"\n"
