"""``lorascope metrics``: every metric with its direction, its tasks and its definition."""

from __future__ import annotations

import json

import pytest

from core.cli.main import run
from core.metrics.registry import all_metrics, metrics_for


def test_every_metric_is_a_line_with_its_direction_and_definition(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["metrics"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["family", "metric", "tasks", "definition"]
    found = {line.split()[1]: line for line in lines[1:]}
    assert found.keys() == all_metrics().keys() and len(lines) == len(found) + 1
    assert " ↑ " in found["bleu"] and " ↓ " in found["ter"] and "Corpus BLEU, 0-100" in found["bleu"]
    assert "↑" not in found["length_ratio"] and "↓" not in found["length_ratio"]


def test_a_kind_narrows_the_list_and_json_has_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["metrics", "--kind", "finance", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {entry["name"] for entry in listed} == {metric.name for metric in metrics_for("finance")}
    drawdown = next(entry for entry in listed if entry["name"] == "max_drawdown")
    assert (drawdown["lowest"], drawdown["highest"], drawdown["unit"]) == (-1.0, 0.0, "share")
    assert drawdown["direction"] == "higher" and drawdown["uncertainty"].startswith("no interval: the drawdown depends")


def test_an_unknown_kind_is_said_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["metrics", "--kind", "rankin"]) == 2
    out, err = capsys.readouterr()
    assert not out and "there is no kind of task 'rankin'" in err and "did you mean 'ranking'" in err
