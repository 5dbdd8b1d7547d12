"""``lorascope adapter``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.cli.main import run
from tests.core.adapters.made import made_adapter, made_base

ROOT = Path(__file__).parents[3]


def test_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))
    folder, base = made_adapter(tmp_path / "a", lora_dropout=0.1), made_base(tmp_path / "base")
    other = made_adapter(tmp_path / "b", seed=5)
    assert run(["adapter", str(folder), "--base", str(base), "--beside", str(other)]) == 0
    out = capsys.readouterr().out
    assert "LORA, rank 3 on q_proj, v_proj in 3 layers" in out and "lora_dropout" in out
    assert "All 6 adapted modules are in the base" in out and "of their norm; most:" in out
    assert "both change 6 modules" in out and "by chance" in out
    assert run(["adapter", str(folder), "--base", str(base), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["settings"]["r"] == {"value": 3, "source": "adapter_config.json", "contradicted_by": {}}
    assert found["layers"] == [0, 1, 2] and len(found["anatomy"]["modules"]) == 6 and found["warnings"] == []
    assert {one["level"] for one in found["findings"]} == {"ok"}


def test_bad_input_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert run(["adapter", str(tmp_path / "empty")]) == 2
    assert "found no adapter_config.json" in capsys.readouterr().err
    assert run(["adapter", str(tmp_path / "none")]) == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_it_needs_no_torch() -> None:
    code = (
        "import sys; from core.cli.main import run\n"
        f"assert run(['adapter', {str(ROOT / 'sample_data/adapters/qv-r8')!r}]) == 0\n"
        "assert 'torch' not in sys.modules and 'streamlit' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
