"""``lorascope init``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.main import run
from core.workspace import load_workspace


def test_init_writes_a_workspace_and_says_what_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adapter = tmp_path / "out/r8"
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text("{}")
    data = tmp_path / "rows.jsonl"
    data.write_text(json.dumps({"prompt": "p", "completion": "c"}) + "\n")
    home = tmp_path / "w"
    arguments = [
        "init",
        "--base",
        "org/model",
        "--adapters",
        str(tmp_path / "out"),
        "--data",
        str(data),
        "--workspace",
        str(home),
    ]
    assert run(arguments) == 0
    captured = capsys.readouterr()
    assert "1 adapters: r8" in captured.out and "reply (generation)" in captured.out
    assert f"lorascope evaluate --workspace {home}" in captured.out
    assert set(load_workspace(home).spec.models.adapters) == {"r8"}

    assert run(arguments) == 2
    assert "was not touched" in capsys.readouterr().err


def test_a_bad_line_exits_with_2_and_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out/r8").mkdir(parents=True)
    (tmp_path / "out/r8/adapter_config.json").write_text("{}")
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n{"text": \n')
    arguments = ["--base", "org/model", "--adapters", str(tmp_path / "out"), "--data", str(tmp_path / "rows.jsonl")]
    assert run(["init", *arguments, "--workspace", str(tmp_path)]) == 2
    assert f"{tmp_path / 'rows.jsonl'}, line 2" in capsys.readouterr().err
    assert not (tmp_path / "workspace.yaml").exists()
