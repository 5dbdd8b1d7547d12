from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.data.profile import profile_rows, rows_of
from core.data.profile.progress import Cancelled
from core.errors import InputError
from tests.core.data.profile.made import chat, renderer, views

KEYS = {"lengths", "duplicates", "leakage", "languages", "labels", "quality", "trainer", "turns"}
ROWS = [chat(f"What is {k}?", "It is a number of some kind.", id=k) for k in range(5)]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))


def test_all_of_a_profile_can_be_written_as_json(tmp_path: Path) -> None:
    found = profile_rows(
        lambda: views(ROWS), train=lambda: views(ROWS[1:3]), renderer=renderer(tmp_path), file_hash="f", max_length=30
    )
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert set(content) == KEYS
    assert content["lengths"]["rows"] == 5 and content["lengths"]["cut"]["max_length"] == 30
    assert content["leakage"]["leave_out"] == ["1", "2"]
    assert content["turns"]["histogram"] == [[2, 5]]
    assert content["trainer"][0]["level"] == "stops"


def test_without_a_tokenizer_and_a_training_file() -> None:
    found = profile_rows(lambda: views(ROWS))
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert set(content) == KEYS
    assert content["lengths"] is None and content["leakage"] is None


def test_a_file_without_rows() -> None:
    content = json.loads(json.dumps(profile_rows(lambda: []).to_json(), allow_nan=False))
    assert content["trainer"] == [] and content["duplicates"]["rows"] == 0


def test_lists_are_bounded() -> None:
    rows = [{"text": f"pair number {k // 4} stands here", "label": k // 2 % 2} for k in range(1000)]
    content = profile_rows(lambda: views(rows)).to_json()
    assert content["duplicates"]["n_groups"] == 500 and len(content["duplicates"]["groups"]) == 100
    assert content["duplicates"]["n_conflicts"] == 250 and len(content["duplicates"]["conflicts"]) == 100


def test_progress_can_stop_it() -> None:
    with pytest.raises(Cancelled):
        profile_rows(lambda: views(ROWS), progress=lambda step, rows: False)


def test_rows_of_a_file_have_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one"}\n\n{"text": "two"}\n')
    assert [(row.line, row.text) for row in rows_of(path)] == [(1, "one"), (3, "two")]
    with pytest.raises(InputError):
        list(rows_of(tmp_path / "none.jsonl"))
