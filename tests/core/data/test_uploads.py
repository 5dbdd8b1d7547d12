"""Dropped files: kept by their bytes, found by their id alone, under a plain name wherever the browser says they come from."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest

from core.data.uploads import DAYS_KEPT, find_upload, keep_upload, plain_name
from core.errors import InputError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_file_is_found_by_its_id_and_is_the_same_when_it_is_dropped_again() -> None:
    first = keep_upload("a.jsonl", io.BytesIO(b"{}\n"))
    before = first.path.stat().st_mtime_ns
    assert keep_upload("a.jsonl", io.BytesIO(b"{}\n")) == first == find_upload(first.id)
    assert first.path.stat().st_mtime_ns == before, "what was found out about it stays true"
    assert first.path.read_bytes() == b"{}\n" and first.name == "a.jsonl"
    assert len(list(first.path.parent.parent.iterdir())) == 1, "nothing is left beside it"


def test_other_bytes_or_another_name_are_another_file() -> None:
    ids = {keep_upload(name, io.BytesIO(data)).id for name, data in (("a", b"1"), ("a", b"2"), ("b", b"1"))}
    assert len(ids) == 3


@pytest.mark.parametrize("asked", ["", "../../etc", "0" * 23, "0" * 25, "/etc/passwd", "0" * 24, "g" * 24])
def test_what_is_no_id_of_a_file_finds_none(asked: str) -> None:
    keep_upload("a", io.BytesIO(b"1"))
    assert find_upload(asked) is None


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\data\\train.jsonl", "train.jsonl"), ("a\x00\nb.csv", "ab.csv"), (".bashrc", "bashrc"),
        ("", "dropped"), ("..", "dropped"), ("a/", "dropped"), (":red[x] $y$ <b>.jsonl", ":red[x] $y$ <b>.jsonl"),
    ],
)  # fmt: skip
def test_a_name_is_its_last_part_without_what_a_name_should_not_have(name: str, plain: str) -> None:
    assert plain_name(name) == plain
    upload = keep_upload(name, io.BytesIO(b"x"))
    assert upload.name == plain and upload.path.parent.name == upload.id


def test_a_long_name_keeps_its_ending() -> None:
    assert plain_name("界" * 300 + ".jsonl").endswith("界.jsonl") and len(plain_name("界" * 300).encode()) <= 200
    assert keep_upload("界" * 300 + ".jsonl", io.BytesIO(b"x")).path.is_file()


def test_what_was_dropped_long_ago_is_forgotten_when_something_is_dropped(cache: Path) -> None:
    old, recent = keep_upload("old", io.BytesIO(b"1")), keep_upload("recent", io.BytesIO(b"2"))
    long_ago = time.time() - (DAYS_KEPT + 1) * 86_400
    os.utime(old.path.parent, (long_ago, long_ago))
    keep_upload("new", io.BytesIO(b"3"))
    assert find_upload(old.id) is None and find_upload(recent.id) == recent


def test_a_place_that_cannot_be_written_is_said(cache: Path) -> None:
    cache.mkdir()
    (cache / "uploads").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"uploads: the file 'a' cannot be kept .* Free some space\."):
        keep_upload("a", io.BytesIO(b"1"))
