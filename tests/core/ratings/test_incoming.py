"""Ratings that were made elsewhere: the least a row needs, and what each mistake is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.ratings import RatingStore, actions, items, list_studies
from core.ratings.exchange import import_study


def write_lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_least_that_comes_from_elsewhere(store: RatingStore, tmp_path: Path) -> None:
    row = {"example_id": 7, "rater": "Ana", "variant_left": "a", "variant_right": "b", "value": "left"}
    path = write_lines(
        tmp_path / "pilot.jsonl", row, row | {"value": "tie"}, row | {"rater": "Ben", "variant_left": "b", "variant_right": "a"},
        row | {"example_id": 8, "value": "both_bad", "output_left": "x", "output_right": "好", "submitted_at": "2026-05-01T10:00:00"},
    )  # fmt: skip
    study = import_study(store, path)
    frame = actions(study)
    assert study.plan.title == "pilot" and study.plan.mode == "pair" and study.variants == ("a", "b")
    assert list(frame["preferred"]) == ["a", "tie", "b", "both_bad"] and list(frame["current"]) == [
        False,
        True,
        True,
        True,
    ]
    assert frame["supersedes"][1] == frame["action_id"][0] and list(items(study)["needed"]) == [2, 1]
    assert frame["seconds"].isna().all() and frame["submitted_at"][3].startswith("2026-05-01T10:00:00")
    assert (frame["length_left"][3], frame["length_right"][3]) == (1, 1)


def test_scores_from_a_csv_of_a_spreadsheet(lite: RatingStore, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(
        "\ufeffexample_id,rater,variant_left,criterion,value\ne1,Ana,base,fluency,4\ne1,Ana,base,accuracy,2\ne1,Ana,lora,fluency,5.0\n",
        encoding="utf-8",
    )
    study = import_study(lite, tmp_path / "s.csv", title="May")
    frame = actions(study)
    assert study.plan.mode == "score" and study.plan.title == "May" and list(frame["value"]) == [4, 2, 5]
    assert frame["assignment_id"].nunique() == 2 and frame["current"].all()
    assert [criterion.name for criterion in study.plan.criteria] == ["fluency", "accuracy"]


GOOD = {"example_id": "e1", "rater": "Ana", "variant_left": "a", "variant_right": "b", "value": "left"}
BAD_ROWS: list[tuple[dict[str, Any], str]] = [
    ({"value": "middle"}, "line 2: Found the answer 'middle', expected one of left, right, tie, both_bad"),
    ({"value": None}, "line 2: No answer yet for: preference"),
    ({"variant_right": None}, "line 2: found the variants a, expected 2 different ones"),
    ({"variant_right": "a"}, "line 2: found the variants a, a, expected 2 different ones"),
    ({"rater": ""}, "line 2: Found no name"),
    ({"rater": "x" * 5000}, "line 2: Found a name of 5,000 characters"),
    ({"example_id": ""}, "line 2: found no example_id"),
    ({"kind": "vote"}, "line 2: found kind 'vote', expected one of rate, skip, flag"),
    ({"submitted_at": "yesterday"}, "line 2: submitted_at: found 'yesterday', expected a time"),
    ({"sequence": "first"}, "line 2: sequence: found 'first', expected a whole number"),
    ({"output_left": "other"}, "example 'e1' has two different outputs of 'a'"),
    ({"sequence": 1}, "'Ana' has two answers on 'preference' of sequence 1"),
]


@pytest.mark.parametrize(("change", "said"), BAD_ROWS)
def test_rows_that_cannot_be(lite: RatingStore, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = write_lines(
        tmp_path / "bad.jsonl", GOOD | {"sequence": 1, "output_left": "text"}, GOOD | {"output_left": "text"} | change
    )
    with pytest.raises(InputError) as error:
        import_study(lite, path)
    assert said in str(error.value) and str(path) in str(error.value)
    assert list_studies(lite) == [], "nothing is stored"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("a.jsonl", b"", "there are no rows"), ("a.jsonl", b"{\n", "line 1: not a JSON object"),
     ("a.jsonl", b"[1]\n", "found list, expected a JSON object"),
     ("a.jsonl", b"\xff\xfe\n", "line 1: not a JSON object"), ("a.csv", b"\xff\xff,b\n1,2\n", "cannot be read as csv"),
     ("a.csv", b"example_id,rater\n1,2,3\n", "more cells than the header"),
     ("a.csv", b"example,value\n1,left\n", "found no column example_id, rater, variant_left (or shown); the file has example, value"),
     ("a.parquet", b"PAR1 no", "cannot be read as parquet"), ("a.xlsx", b"", "found a file .xlsx, expected .jsonl, .csv, .parquet"),
     ("a.jsonl", b'{"example_id": 1, "rater": "A", "variant_left": "a", "value": null}\n', "no row has a value"),
     ("a.jsonl", b'{"example_id": 1, "rater": "A", "variant_left": "a", "value": 3, "mode": "duel"}\n', "found mode 'duel'")],
)  # fmt: skip
def test_files_that_cannot_be_read(lite: RatingStore, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        import_study(lite, tmp_path / name)
    assert said in str(error.value)


def test_no_file(lite: RatingStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        import_study(lite, tmp_path / "none.csv")
