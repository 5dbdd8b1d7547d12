"""What the command line says while the metrics of a large run are computed."""

from __future__ import annotations

import pytest

from core.cli import metrics_progress as module


def test_nothing_is_said_of_little_work_and_a_line_now_and_then_of_much(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    told = module.metrics_progress()
    for seconds, done in ((1, 1), (2, 4), (31, 10), (40, 11), (62, 1_200), (63, 1_300), (64, 4_000)):
        clock[0] = seconds
        told(done, 4_000)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"Computing metrics: {done} of 4,000; kept for the next time" for done in ("10", "1,200", "4,000")
    ]
