"""The quick way and the thorough way say the same of every file, in one process and in several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.inspect import parallel, tally
from core.data.inspect import scan as scan_module
from core.data.inspect.fast import FastLines, fast_extras
from core.data.inspect.ledger import read_faults
from core.data.inspect.lines import LineBlock
from core.data.inspect.records import FAULTS_KEPT
from core.data.inspect.scan import scan
from core.data.inspect.tally import MAX_NAMES, Tally, rounded_length
from core.errors import RunError
from tests.core.data.inspect.files import assistant, chat, system, user, write

SOUND = [
    json.dumps(row).encode()
    for row in (chat(), chat(system(), user("你好"), assistant("é" * 5000)), chat(*[user(), assistant()] * 3))
]
HIDDEN = [
    b'{"messages": [{"role": "user", "content": "a", "content": "b"}, {"role": "assistant", "content": "c"}]}',
    b'{"messages": [{"role": "user", "content": "a", "cont\\u0065nt": "b"}, {"role": "assistant", "content": "c"}]}',
    b'{"messages": [], "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}]}',
    b'{"messages" : [{"role" : "user", "role": "user", "content": "\\":"}, {"role": "assistant", "content": "c"}]}',
    b'{"messages": [{"role": "user", "content": "say \\"role\\": \\"content\\""}, {"role": "assistant", "content": "c\\u00e9"}]}',
    b'{"messages": [{"role": "user", "content": "a\\u0022\\u0022", "role": "user"}, {"role": "assistant", "content": "c"}]}',
    b'{"messages": [{"role": "user", "content": "a", "name": "Bo"}, {"role": "assistant", "content": "c"}]}',
    b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}],}',
    b'{"messages": [{"role": "assistant", "content": "a"}]}',
    b'{"messages": [{"role": "tool", "content": "a"}]}',
    b'{"messages": []}',
    b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
    b'{"messages": [{"role": "user", "content": "\xff"}]}',
    b'{"messages": NaN}',
    b'{"text": "a"}',
    b"",
    b"\r",
    b"[]",
]  # fmt: skip


def both_ways(path: Path, strict: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    quick = scan(path, strict=strict, workers=1)
    with monkeypatch.context() as patch:
        patch.setattr(scan_module, "fast_extras", lambda *_, **__: None)
        return quick, scan(path, strict=strict, workers=1)


@given(lines=st.lists(st.sampled_from(SOUND + HIDDEN), max_size=8), strict=st.booleans())
@settings(max_examples=60, deadline=None)
def test_both_ways_agree_on_conversations(lines: list[bytes], strict: bool) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        quick, thorough = both_ways(write(Path(folder), *SOUND, *lines), strict, patch)
    assert quick == thorough


TEXTS = [b'{"text": "a", "id": 1}', '{"text": "你好", "id": null}'.encode(), b'{"text": "", "id": 1}', b'{"text": " ", "id": true}',
         b'{"text": "a", "text": "b", "id": 2}', b'{"text": 3, "id": 2}', b'{"text": "a"}', b'{"text": "a", "id": "text"}',
         b'{"text": "a", "id": {}}', b'{"id": 1.5, "text": "b"}']  # fmt: skip


@given(lines=st.lists(st.sampled_from(TEXTS), max_size=8), strict=st.booleans())
@settings(max_examples=60, deadline=None)
def test_both_ways_agree_on_texts_with_other_fields(lines: list[bytes], strict: bool) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        quick, thorough = both_ways(write(Path(folder), *TEXTS[:2], *lines), strict, patch)
    assert quick == thorough


def test_the_quick_way_is_really_taken() -> None:
    fast = FastLines("messages", [])
    left = fast.take(LineBlock(1, b"\n".join(SOUND)))
    assert left == [] and fast.counted().rows == 3 and fast.counted().role_counts["user"] == 5
    assert fast.take(LineBlock(1, b"\n".join(HIDDEN))) == [place for place in range(len(HIDDEN)) if place != 4]


@pytest.mark.parametrize(
    ("name", "rows", "strict", "extras"),
    [
        ("messages", [chat() | {"id": 1}], False, ["id"]),
        ("messages", [chat() | {"id": {"a": 1}}], False, None),
        ("messages", [chat() | {"id": 1}, chat()], False, None),
        ("text", [{"text": "a", "id": 1}], True, None),
        ("plain-text", [{"text": "a"}], True, []),
        ("alpaca", [{"instruction": "a"}], False, None),
        ("messages", [{"x": 1}], False, None),
    ],
)
def test_which_files_have_a_quick_way(name: str, rows: Sequence[Any], strict: bool, extras: list[str] | None) -> None:
    assert fast_extras(name, rows, strict=strict) == extras


@pytest.mark.parametrize("workers", [2, 3, 7])
def test_several_processes_find_what_one_finds(tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, b"\xef\xbb\xbf" + SOUND[0], *(SOUND + HIDDEN) * 5, chat())
    alone = scan(path, workers=1)
    monkeypatch.setattr(scan_module, "PARALLEL_BYTES", 1)
    told: list[float] = []
    together = scan(path, workers=workers, progress=told.append)
    assert together == alone and alone.fault_total > 50
    assert told[-1] == 1.0


def test_one_long_line_is_not_cut_between_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "PARALLEL_BYTES", 1)
    path = write(tmp_path, chat(user("x" * 10_000), assistant()))
    assert scan(path, workers=4).rows == 1


def test_a_process_that_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "PARALLEL_BYTES", 1)
    path = write(tmp_path, *[chat()] * 50)
    broken = tmp_path / "broken"  # found before an installed package of the same name
    (broken / "core").mkdir(parents=True)
    (broken / "core" / "__init__.py").write_text("raise SystemExit(3)\n")
    monkeypatch.setattr(parallel, "import_path", lambda: str(broken))
    with pytest.raises(RunError, match="ended early"):
        scan(path, workers=2)


@pytest.mark.parametrize("together", [True, False])
def test_the_work_can_be_stopped(tmp_path: Path, together: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if together:
        monkeypatch.setattr(scan_module, "PARALLEL_BYTES", 1)
    path = write(tmp_path, *[chat()] * 100)
    with pytest.raises(RunError, match="stopped"):
        scan(path, workers=2, progress=lambda _: False)


def test_many_faults_go_to_disk_and_all_of_them_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))
    count = FAULTS_KEPT + 500
    path = write(tmp_path, *[b'{"messages": []}'] * count)
    alone = scan(path, workers=1)
    assert len(alone.faults) == FAULTS_KEPT and alone.fault_counts == {"messages-empty": count}
    assert alone.faults_file is not None
    assert [fault.line for fault in read_faults(alone.faults_file)] == list(range(1, count + 1))
    assert alone.fault_groups[0].first == alone.faults[:5]
    monkeypatch.setattr(scan_module, "PARALLEL_BYTES", 1)
    assert replace(scan(path, workers=2), faults_file=None) == replace(alone, faults_file=None)
    assert [file.name for file in (tmp_path / "cache" / "inspect").iterdir()] == [alone.faults_file.name]


def test_names_without_end_are_counted_together() -> None:
    counted = Tally()
    for number in range(2 * MAX_NAMES):
        counted.add_row({f"field {number}": 1, "messages": [user(str(number))]}, "messages", conversational=True)
        tally.add(counted.system_prompts, f"prompt {number}")
    assert len(counted.fields) == MAX_NAMES + 1 and len(counted.system_prompts) == MAX_NAMES + 1
    assert sum(sum(kinds.values()) for kinds in counted.fields.values()) == 4 * MAX_NAMES
    assert counted.system_prompts[tally.OTHERS] == MAX_NAMES


@given(st.integers(0, 10**9))
def test_lengths_are_kept_to_what_is_stated(length: int) -> None:
    kept = rounded_length(length)
    assert kept <= length and length - kept <= length * 0.016
    assert kept == length or length > 4096


@pytest.mark.parametrize(("cores", "share", "workers"), [(2, 1, 2), (64, 1, 8), (8, 30, 3), (8, 1000, 1)])
def test_there_are_as_many_processes_as_have_enough_to_do(
    tmp_path: Path, cores: int, share: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``share`` is the least part of the file, in percent, that a process is started for."""
    path = write(tmp_path, *[chat()] * 200)
    asked: list[int] = []
    whole = scan_module.measure_in_parallel

    def count(*given: Any) -> str:
        asked.append(given[3])
        return whole(*given)

    monkeypatch.setattr(scan_module.os, "cpu_count", lambda: cores)
    monkeypatch.setattr(scan_module, "PARALLEL_BYTES", 1)
    monkeypatch.setattr(scan_module, "WORKER_BYTES", path.stat().st_size * share // 100)
    monkeypatch.setattr(scan_module, "measure_in_parallel", count)
    assert scan(path).rows == 200
    assert (asked or [1]) == [workers]


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (b'{"text": "a"}\n{"text": "b"}', []),
        (b"", [0]),
        (b'{"text": "a"}{"text": "b"}\n{"text":\n"c"}', [0, 1, 2]),
        (b'{"text": "a"} {"text": "b"}\n', [0, 1]),
        (b'{"text": "a"}\n\n{"text": "b"}', [1]),
        (b'{"text":\n"a"}\n{"text": "b"}', [0, 1]),
        (b'{"text": "}\n{"}\n{"text": "b"}', [0, 1]),
        (b'{"text": "a"}\r\n{"text": "b"}\r', []),
        (b'{"text": "a"}\r{"text": "b"}', [0]),
        (b'\n{"text": "a"}', [0]),
        (b'{"text": "a"},\n{"text": "b"}', [0]),
        (b'{"text": "a"}\n{"text": "b", "text": "c"}', [1]),
        (b'{"text": "\\\\"}\n{"text": "\\\\\\"", "text": "c"}', [1]),
    ],
)
def test_each_line_holds_one_object_of_its_own(raw: bytes, left: list[int]) -> None:
    fast = FastLines("text", [])
    assert fast.take(LineBlock(1, raw)) == left
    assert fast.counted().rows == raw.count(b"\n") + 1 - len(left)
