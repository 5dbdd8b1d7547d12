"""Speed and latency beside the metrics: hand-computed values, paired by repeat, never a verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.compare import compare, headline
from core.store import Run, write_json
from tests.synthetic import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = make_run(tmp_path_factory.mktemp("runs") / "r", n=20)
    seconds = {"baseline": 1.0, "qv-r8": 2.0, "all-r8": 1.0, "qv-r2": 1.0}
    repeats = [
        {
            "variant": name, "repeat": repeat, "prompt": prompt, "n_prompt_tokens": 9, "n_new_tokens": 10,
            "seconds_to_first_token": 0.1, "seconds": one + 0.5 * repeat + 0.25 * prompt, "peak_bytes": 1,
        }
        for repeat in range(5) for name, one in seconds.items() for prompt in range(2)
    ]  # fmt: skip
    write_json(run.folder / "probe.json", {"settings": {"repeats": 5}, "repeats": repeats})
    return Run(run.folder)


def test_values_and_differences_are_those_of_the_answers(run: Run) -> None:
    rows = {row.metric: row for row in compare(run).efficiency}
    base = np.array([[1 + 0.5 * r + 0.25 * p for p in range(2)] for r in range(5)])
    slow = base + 1
    speed = np.median(20 / base.sum(1)), np.median(20 / slow.sum(1))
    assert rows["tokens_per_second"].values["baseline"].value == pytest.approx(speed[0])
    assert rows["tokens_per_second"].differences["qv-r8"].difference == pytest.approx(speed[1] - speed[0])
    assert rows["latency_p50"].values["baseline"].value == pytest.approx(np.quantile(base, 0.5))
    assert rows["latency_p95"].differences["qv-r8"].difference == pytest.approx(1.0)


def test_repeats_are_paired_so_that_what_all_share_cancels(run: Run) -> None:
    for row in compare(run).efficiency:
        same = row.differences["all-r8"]
        assert (same.difference, same.low, same.high) == (0.0, 0.0, 0.0)
    p50 = next(row for row in compare(run).efficiency if row.metric == "latency_p50").differences["qv-r8"]
    assert (p50.low, p50.high) == pytest.approx((1.0, 1.0))


def test_no_verdict_no_p_and_no_count(run: Run) -> None:
    comparison = compare(run)
    found = [difference for row in comparison.efficiency for difference in row.differences.values()]
    assert {(d.verdict, d.p, d.p_adjusted) for d in found} == {("unclear", None, None)}
    assert headline(comparison, "qv-r8").of == sum(row.primary for row in comparison.rows)
    assert not {row.task for row in comparison.rows} & {"efficiency"}


def test_a_run_without_a_probe_has_no_such_rows(run: Run, tmp_path: Path) -> None:
    other = make_run(tmp_path / "r", n=16)
    (other.folder / "probe.json").unlink()
    assert compare(Run(other.folder)).efficiency == ()
