"""How a training ended, held against numbers worked out by hand."""

from __future__ import annotations

import pytest

from core.adapters.over_fit import over_fit
from core.adapters.training_log import LogRow, TrainingLog
from core.charts.adapter_tables import over_fit_rows, over_fit_table

TRAIN = tuple(LogRow(step, {"loss": loss}) for step, loss in ((1, 3.0), (2, 2.0), (3, 1.4), (4, 1.0)))
HELD_OUT = (LogRow(2, {"eval_loss": 1.8}), LogRow(4, {"eval_loss": 2.1}))


def test_the_best_the_rise_and_the_gap() -> None:
    found = over_fit(TrainingLog("trainer_state.json", TRAIN, HELD_OUT))
    assert found is not None and (found.best_step, found.best_loss, found.last_step) == (2, 1.8, 4)
    assert found.rise == pytest.approx(0.3)
    assert found.training_loss == pytest.approx(1.2)  # the rows after the evaluation of step 2
    assert found.gap == pytest.approx(0.9)
    assert over_fit_rows({"a": found, "b": None}) == [("a", "1.800", "2", "2.100", "+0.300", "+0.900")]
    assert over_fit_table({"a": found, "b": None})["gap"].tolist() == pytest.approx([0.9])


def test_without_held_out_or_training_losses_nothing_is_made_up() -> None:
    assert over_fit(TrainingLog("trainer_state.json", TRAIN)) is None
    alone = over_fit(TrainingLog("trainer_state.json", (LogRow(4, {"loss": None}),), HELD_OUT))
    assert alone is not None and alone.training_loss is None and alone.gap is None
    assert over_fit_rows({"a": alone})[0][-1] == "–"
