"""``lorascope runs``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.main import run
from tests.synthetic import make_workspace


def test_json_is_a_list_of_objects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_workspace(tmp_path / "w", n=8)
    (folder / "runs/broken").mkdir()
    (folder / "runs/broken/spec.json").write_text("{")
    assert run(["runs", "--workspace", str(folder), "--json"]) == 0
    captured = capsys.readouterr()
    (entry,) = json.loads(captured.out)
    assert entry["state"] == "finished" and (folder / "runs" / entry["id"]).is_dir()
    assert entry["variants"][0] == "baseline" and "category" in entry["tasks"] and entry["created"]
    assert "broken" in captured.err

    assert run(["runs", "--workspace", str(folder)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split()[:2] == ["run", "state"] and out[1].startswith(entry["id"])


def test_no_runs_and_no_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_workspace(tmp_path / "w", n=8, runs=False)
    assert run(["runs", "--workspace", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run(["runs", "--workspace", str(folder)]) == 0
    assert "No runs" in capsys.readouterr().out
    assert run(["runs", "--workspace", str(tmp_path)]) == 2
    assert "found no workspace.yaml" in capsys.readouterr().err
