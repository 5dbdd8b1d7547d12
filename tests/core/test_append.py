"""Lines that several processes add: none is lost, none is torn by another."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from core import append
from core.append import appending


def _add(path: str, who: int) -> None:
    for number in range(40):
        with appending(Path(path)) as file:
            before = len(file.read().splitlines())
            file.append(f"{who} {number} {before} {'x' * 500}\n".encode())


def test_two_processes_lose_nothing_and_each_sees_what_the_other_wrote(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(_add, [str(path)] * 2, range(2)))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert sorted(tuple(map(int, line.split()[:2])) for line in lines) == [(w, n) for w in range(2) for n in range(40)]
    assert [int(line.split()[2]) for line in lines] == list(range(80)), "read and written under one lock"


def test_a_torn_line_is_closed_first(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'whole\n{"torn')
    with appending(path) as file:
        file.append(b"next\n")
    assert path.read_bytes() == b'whole\n{"torn\nnext\n'


def test_a_write_that_fails_half_way_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"before\n")
    real, calls = os.write, []

    def write(descriptor: int, content: bytes) -> int:
        calls.append(content)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, content[:3])

    monkeypatch.setattr(append.os, "write", write)
    with pytest.raises(OSError, match="No space left"), appending(path) as file:
        file.append(b"after\n")
    monkeypatch.undo()
    assert path.read_bytes() == b"before\n"


def test_a_write_in_several_pieces_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(append.os, "write", lambda descriptor, content: real(descriptor, content[:7]))
    with appending(tmp_path / "log") as file:
        file.append(b"a line of several pieces\n")
    monkeypatch.undo()
    assert (tmp_path / "log").read_bytes() == b"a line of several pieces\n"
