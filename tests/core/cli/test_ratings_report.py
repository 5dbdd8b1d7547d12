"""``lorascope ratings report``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.ratings import RatingStore, join, open_study
from tests.core.cli.test_ratings import call, created, rate, workspace  # noqa: F401
from tests.core.ratings.studies import Clock, answer, next_item


def test_a_pair_study_for_people_and_for_scripts(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    made = created(workspace, capsys, "--variant", "baseline", "--variant", "lora", "--raters", "2", "--overlap", "2")
    assert call("report", made["id"], "--workspace", workspace) == 0
    assert capsys.readouterr().out.startswith("Nobody has rated an item of this study yet.\n")
    for name in ("Ana", "Ben"):
        rate(workspace, made["id"], name)
    assert call("report", "Replies", "--workspace", workspace) == 0
    out = capsys.readouterr().out
    assert (
        "lora / baseline" in out
        and "\nAna " in out
        and "chrF" in out
        and "12 of 12 items rated by 2, 24 answers" in out
    )
    assert call("report", made["id"], "--workspace", workspace, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    (pair,) = told["preferences"][0]["pairs"]
    assert (told["study_id"], pair["wins"] + pair["losses"] + pair["ties"]) == (made["id"], 12)
    assert told["headline"] in out and told["metrics"]["rows"]
    shutil.rmtree(workspace / "runs")
    assert call("report", made["id"], "--workspace", workspace) == 0
    assert "Metrics against people: no run is there for baseline, lora" in capsys.readouterr().out


def test_an_e_value_beyond_a_float_is_null(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    from core.cli.ratings_report import _plain

    assert _plain({"a": (float("inf"), 1.5, {"b": None})}) == {"a": [None, 1.5, {"b": None}]}


def test_scores_and_their_weights(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    made = created(
        workspace, capsys, "--mode", "score", "--variant", "baseline", "--variant", "lora", "--practice", "0"
    )
    study = open_study(RatingStore(f"sqlite:///{workspace}/studies/ratings.sqlite", clock=Clock()), made["id"])
    ana = join(study, "Ana")
    while not hasattr(item := next_item(study, ana), "message"):
        answer(study, ana, item, 4 if item.outputs[0].endswith("way 1") else 3)
    assert call("report", made["id"], "--workspace", workspace, "--weight", "fluency=2", "--weight", "overall=1") == 0
    out = capsys.readouterr().out
    assert (
        out.startswith("On overall satisfaction lora differs from baseline by +1.00 of 5 levels")
        and "Weighted average" in out
    )
    assert call("report", made["id"], "--workspace", workspace, "--weight", "fluency") == 2
    assert "--weight: found 'fluency', expected NAME=NUMBER such as fluency=2." in capsys.readouterr().err
    assert call("report", made["id"], "--workspace", workspace, "--weight", "charm=2") == 2
    assert "Found a weight for 'charm'; the study asks for fluency" in capsys.readouterr().err


def test_three_variants_have_ranks(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    made = created(workspace, capsys)
    rate(workspace, made["id"], "Ana")
    assert call("report", made["id"], "--workspace", workspace) == 0
    out = capsys.readouterr().out
    assert (
        "lora / baseline" in out and "other / lora" in out and ("rank  between" in out or "Strengths: undefined" in out)
    )


def test_no_such_study(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    assert call("report", "nothing", "--workspace", workspace) == 2
    assert "there is no study 'nothing'" in capsys.readouterr().err


def test_a_judges_file(workspace: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:  # noqa: F811
    made = created(
        workspace, capsys, "--variant", "baseline", "--variant", "lora", "--examples", "6", "--practice", "0"
    )
    rate(workspace, made["id"], "Ana")
    path = tmp_path / "judge.jsonl"
    rows = [
        {"task": "reply", "example_id": f"e{at:03d}", "variant_left": "lora", "variant_right": "baseline",
         "value": "left" if at % 3 else "right"}
        for at in range(12)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert call("import", path, "--judge", "big-model", "--workspace", workspace) == 0
    capsys.readouterr()
    assert call("report", made["id"], "--workspace", workspace) == 0
    assert (
        "Judge big-model, lora / baseline: " in (out := capsys.readouterr().out) and "by people alone (6 items)" in out
    )
