"""The row of a user's own metric, computed in this process."""

from __future__ import annotations

from pathlib import Path

from core.compare import compare
from core.jobs.own_metrics import own_metrics
from core.records import BASELINE
from core.results import MetricRow
from core.store import Run
from core.trust import trust
from tests.core import own_runs

HEAD = "def statistics(predictions, references):\n    return [[len(text), 1] for text in predictions]\n\n"


def row_of(folder: Path, code: str, name: str = "mine") -> MetricRow:
    """Return the row of a metric that was computed in this process."""
    run = own_runs.make(folder, code, name)
    trust(folder)
    own_metrics(run.folder, name, BASELINE)
    return compare(run).row(f"reply/{name}")


def fault_of(folder: Path, code: str) -> str:
    row = row_of(folder, code)
    assert {value.value for value in row.values.values()} == {None}
    assert {difference.verdict for difference in row.differences.values()} == {"none"}
    reasons = {value.reason for value in row.values.values()}
    assert len(reasons) == 1
    builtin = compare(Run(folder / "runs" / "mini")).row("reply/exact_match")
    assert builtin.values["lora"].value is not None and builtin.differences["lora"].p is not None, "it spoils no other"
    return reasons.pop() or ""
