"""``lorascope ablations``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.cli.main import run
from tests.core.ablation.made import answers, sweep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    difficulty = rng.uniform(size=120)
    recipes = {"low": {"rank": 2}, "mid": {"rank": 8}, "high": {"rank": 32, "lora_rank": 16}}
    sweep(tmp_path / "w", recipes, answers(rng, recipes, (0.2, 0.6, 0.6), difficulty))
    return tmp_path / "w"


def test_sentences_table_and_how_it_was_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ablations", "mini", "--workspace", str(folder), "--metric", "t/accuracy", "--reference", "mid"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].startswith(
        "- 2 of 3 pairs of adapters that differ in one choice differ on Accuracy, most of all in rank + alpha:"
    )
    assert "low and mid (rank + alpha, 2 + 4 against 8 + 16) differ: low is worse" in out
    header = next(line for line in lines if line.startswith("adapter "))
    assert header.split() == ["adapter", "configuration", "rank", "alpha", "Accuracy"]
    assert next(line for line in lines if line.startswith("high ")).split()[2:5] == ["32", "(contradicted)", "64"]
    assert "Note on high: r: adapter_config.json says 32, which counts; training_args.yaml says 16." in out
    assert "No analysis of variance: 3 runs leave 0 degrees of freedom" in out and "\nNext: Train " in out
    assert lines[-1].startswith(
        "Run mini. t/accuracy, n = 120; 95 % intervals, 10,000 resamples, seed 3; p adjusted over 4"
    )


def test_json_is_the_whole_analysis(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ablations", str(folder / "runs" / "mini"), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["outcome"]["key"] == "t/accuracy" and content["baseline"]["n"] == 120
    (table,) = content["tables"]
    assert (
        table["reference"] == "low" and len(table["one_factor"]) == 2 and table["rows"][0]["cells"]["r"]["value"] == 2
    )


def test_bad_input_is_a_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ablations", "mini", "--workspace", str(folder), "--metric", "t/bleu"]) == 2
    assert "metric: found 't/bleu'" in capsys.readouterr().err
    assert run(["ablations", "mini", "--workspace", str(folder), "--reference", "nobody"]) == 2
    assert "reference: found 'nobody', expected one of low, mid, high." in capsys.readouterr().err


def test_no_torch_and_no_statsmodels_are_loaded(folder: Path) -> None:
    code = (
        "import sys\nfrom core.cli.main import run\n"
        f"assert run(['ablations', 'mini', '--workspace', {str(folder)!r}]) == 0\n"
        "assert not {'torch', 'transformers', 'peft', 'statsmodels', 'sklearn', 'streamlit'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False
    )
    assert done.returncode == 0, done.stderr
