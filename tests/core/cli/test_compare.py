"""``lorascope compare``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.cli.main import run
from core.compare import compare
from core.workspace import load_workspace
from tests.synthetic import make_workspace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("compare") / "w", n=24)


def test_json_holds_the_same_numbers_as_the_comparison(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    only = load_workspace(folder).runs()[0]
    assert run(["compare", only.id, "--workspace", str(folder), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    expected = compare(only)
    assert content["run_id"] == only.id and content["reference"] == "baseline"
    assert [row["key"] for row in content["rows"]] == [row.key for row in expected.rows]
    for shown, row in zip(content["rows"], expected.rows, strict=True):
        for variant, difference in row.differences.items():
            assert shown["differences"][variant]["p_adjusted"] == difference.p_adjusted
            assert shown["values"][variant]["value"] == row.values[variant].value


def test_the_table_shows_value_difference_p_and_mark(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--workspace", str(folder), "--task", "category"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].split() == ["metric", "variant", "value", "difference", "adjusted", "p", "n"]
    assert lines[1].startswith("category: Accuracy ↑ %") and "baseline" in lines[1] and "[" in lines[1]
    assert any(mark in lines[2] for mark in "▲▼≈?") and lines[2].split()[0] == "qv-r8"
    assert "reply:" not in out
    assert "Holm" in out and "▲ better than the reference" in out


def test_another_reference_and_a_copied_run(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(load_workspace(folder).runs()[0].folder, copied)
    assert run(["compare", str(copied), "--reference", "qv-r8", "--task", "category", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["reference"] == "qv-r8"
    assert "baseline" in content["rows"][0]["differences"] and "qv-r8" not in content["rows"][0]["differences"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nothing"], "there is no run 'nothing'"),
        (["--reference", "qv-r9"], "did you mean 'qv-r"),
        (["--task", "categori"], "did you mean 'category'"),
    ],
)
def test_unknown_names_exit_with_2(
    folder: Path, arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", *arguments, "--workspace", str(folder)]) == 2
    assert expected in capsys.readouterr().err


def test_a_workspace_without_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--workspace", str(make_workspace(tmp_path / "w", n=8, runs=False))]) == 2
    assert "lorascope evaluate" in capsys.readouterr().err
