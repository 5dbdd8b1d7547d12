"""A metric of which neither more nor less is better is shown with its difference and interval, and never judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.compare import compare
from core.notation import metric_heading
from core.results import MetricRow
from core.store import Run
from tests.synthetic import make_run


def length_row(folder: Path, **task: Any) -> MetricRow:
    run = make_run(folder / "r", n=30, tasks=("reply",))
    spec = json.loads((run.folder / "spec.json").read_text())
    spec["tasks"]["reply"] |= {"metrics": ["length_ratio"], **task}
    spec["family"] = []
    (run.folder / "spec.json").write_text(json.dumps(spec))
    return compare(Run(run.folder)).row("reply/length_ratio")


def test_there_is_a_difference_and_no_verdict(tmp_path: Path) -> None:
    row = length_row(tmp_path)
    assert row.direction_free
    assert metric_heading(row) == "Length ratio"
    for difference in row.differences.values():
        assert difference.verdict == "none"
        assert difference.reason == "neither more nor less is better: shown without a verdict"
        assert difference.low is not None and difference.difference is not None and difference.p is not None
    assert row.values["baseline"].value == pytest.approx(1, abs=0.9)


def test_a_band_declared_beforehand_may_still_find_them_the_same(tmp_path: Path) -> None:
    row = length_row(tmp_path, bands={"length_ratio": 10.0})
    assert {difference.verdict for difference in row.differences.values()} == {"same"}
