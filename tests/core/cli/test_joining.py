"""``--join`` of ``lorascope compare`` and ``lorascope report``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.main import run
from core.compare import compare
from core.store import Run
from tests.joined_runs import cut
from tests.synthetic import make_run, make_workspace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("joining")
    folder = make_workspace(place / "w", n=20, runs=False)
    whole = make_run(place / "whole", n=20, tasks=("category",))
    cut(whole, folder / "runs" / "monday", ["qv-r8"])
    cut(whole, folder / "runs" / "tuesday", ["all-r8", "qv-r2"])
    cut(whole, folder / "runs" / "other", ["qv-r2"], environment=lambda known: known.update(dtype="bfloat16"))
    return folder


def test_the_numbers_are_those_of_one_run_and_it_is_said_what_is_joined(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["compare", "monday", "--join", "tuesday", "--workspace", str(folder)]
    assert run([*asked, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["variants"] == ["baseline", "qv-r8", "all-r8", "qv-r2"]
    expected = compare(Run(folder.parent / "whole")).rows
    assert [row["values"]["qv-r2"]["value"] for row in content["rows"]] == [
        row.values["qv-r2"].value for row in expected
    ]
    assert content["joined"]["runs"] == ["monday", "tuesday"]
    assert content["joined"]["tasks"] == [{"name": "category", "n": 20, "n_first": 20, "perturbed": False}]
    assert run([*asked, "--reference", "qv-r2", "--fail-if", "accuracy drops more than 0.99"]) == 0
    out = capsys.readouterr().out
    assert "monday and tuesday are joined by example: category (n = 20)." in out
    assert "baseline is one column: the same weights are in tuesday." in out


def test_a_run_of_another_folder_can_be_joined(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = cut(Run(folder.parent / "whole"), folder.parent / "elsewhere", ["all-r8"])
    assert run(["compare", "monday", "--join", str(elsewhere.folder), "--workspace", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["variants"] == ["baseline", "qv-r8", "all-r8"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--join", "other"], "other cannot be joined with monday: the precision differs: bfloat16 in other, float32 in monday."),
        (["--join", "wednesday"], "there is no run 'wednesday'"),
        (["--join", "tuesday", "--own"], "--own computes your metrics of one run; expected it without --join."),
    ],
)  # fmt: skip
def test_what_cannot_be_joined_exits_with_2(
    folder: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "monday", *arguments, "--workspace", str(folder)]) == 2
    assert told in capsys.readouterr().err


def test_a_report_of_joined_runs_says_so_and_how_to_repeat_it(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.md"
    assert run(["report", "monday", "--join", "tuesday", "--workspace", str(folder), "-o", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    assert "monday and tuesday are joined by example: category (n = 20)." in text
    page = tmp_path / "report.html"
    assert run(["report", "monday", "--join", "tuesday", "--workspace", str(folder), "-o", str(page)]) == 0
    assert "lorascope compare monday --join tuesday --slices" in page.read_text(encoding="utf-8")
