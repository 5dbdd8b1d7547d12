"""What a trainer's log says, and every way in which it is damaged, each in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.adapters.training_log import TrainingLog, read_training_log

ROOT = Path(__file__).parents[3]


def _state(folder: Path, rows: list[dict[str, Any]], **beside: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": rows} | beside))
    return folder


def _losses(log: TrainingLog) -> list[tuple[int, float | None]]:
    return [(row.step, row.values["loss"]) for row in log.train]


def test_three_kinds_of_rows_are_told_apart_although_all_have_a_run_time(tmp_path: Path) -> None:
    rows = [
        {"step": 5, "loss": 2.0, "train_runtime": 1.0, "epoch": 0.5},
        {"step": 5, "eval_loss": 2.5, "train_runtime": 1.5},
        {"step": 10, "loss": 1.5, "train_runtime": 2.0, "epoch": 1.0},
        {"step": 10, "train_loss": 1.75, "train_runtime": 2.5, "epoch": 1.0},
    ]
    log, notes = read_training_log(_state(tmp_path, rows, global_step=10))
    assert _losses(log) == [(5, 2.0), (10, 1.5)]
    assert [row.values["eval_loss"] for row in log.evaluations] == [2.5]
    assert log.summary is not None and log.summary["train_loss"] == 1.75
    assert log.seconds == 2.5 and log.state == {"global_step": 10} and notes == ()


def test_the_shipped_log_has_no_remark(tmp_path: Path) -> None:
    log, notes = read_training_log(ROOT / "sample_data/adapters/qv-r8")
    assert (len(log.train), len(log.evaluations)) == (19, 4)
    assert notes == (), "the evaluation that the trainer repeats at the end is no resume"
    assert log.best_evaluation == log.last_evaluation


def test_the_best_evaluation_may_be_an_earlier_one(tmp_path: Path) -> None:
    rows = [{"step": step, "eval_loss": loss} for step, loss in ((1, 3.0), (2, 1.0), (3, 2.0))]
    log, _ = read_training_log(_state(tmp_path, rows))
    assert log.best_evaluation is not None and log.best_evaluation.step == 2
    assert log.last_evaluation is not None and log.last_evaluation.step == 3


def test_several_evaluation_sets_of_one_step_share_a_row(tmp_path: Path) -> None:
    rows = [{"step": 5, "epoch": 1.0, "eval_a_loss": 1.0}, {"step": 5, "epoch": 1.0, "eval_b_loss": 2.0}]
    log, notes = read_training_log(_state(tmp_path, rows))
    assert len(log.evaluations) == 1 and log.evaluations[0].values == {
        "epoch": 1.0,
        "eval_a_loss": 1.0,
        "eval_b_loss": 2.0,
    }
    assert notes == ()


def test_steps_that_were_trained_again_after_a_resume_give_way(tmp_path: Path) -> None:
    rows = [
        {"step": step, "loss": loss} for step, loss in ((5, 5.0), (10, 4.0), (15, 3.0), (10, 3.9), (15, 2.9), (20, 2.0))
    ]
    log, notes = read_training_log(_state(tmp_path, rows))
    assert _losses(log) == [(5, 5.0), (10, 3.9), (15, 2.9), (20, 2.0)]
    assert notes == (
        "trainer_state.json: 2 rows are of steps that were trained again, as after a resume; the later ones are shown.",
    )


def test_nan_is_no_number_and_is_said(tmp_path: Path) -> None:
    tmp_path.joinpath("trainer_state.json").write_text(
        '{"log_history": [{"step": 1, "loss": 2.0}, {"step": 2, "loss": NaN}, {"step": 3, "loss": Infinity}]}'
    )
    log, notes = read_training_log(tmp_path)
    assert _losses(log) == [(1, 2.0), (2, None), (3, None)]
    assert notes == (
        "trainer_state.json: loss is not a number at steps 2, 3: the training diverged or overflowed there.",
    )


def test_a_state_that_is_cut_off_is_said_and_the_last_checkpoint_is_read(tmp_path: Path) -> None:
    _state(tmp_path, [{"step": step, "loss": 1.0} for step in range(50)])
    path = tmp_path / "trainer_state.json"
    path.write_text(path.read_text()[: path.stat().st_size // 2])
    log, notes = read_training_log(tmp_path)
    assert not log
    assert len(notes) == 1 and notes[0].startswith(
        "trainer_state.json cannot be read: it is cut off in the middle (line 1"
    )
    assert notes[0].endswith("Copy the file again.")
    for step in (90, 100):
        _state(tmp_path / f"checkpoint-{step}", [{"step": step, "loss": 1.0}])
    log, notes = read_training_log(tmp_path)
    assert log.source == "checkpoint-100/trainer_state.json" and len(notes) == 1


def test_other_damage_is_not_called_a_cut(tmp_path: Path) -> None:
    (tmp_path / "trainer_state.json").write_text('{"log_history": oops, "more": 1}')
    assert "is not valid JSON (line 1" in read_training_log(tmp_path)[1][0]
    (tmp_path / "trainer_state.json").write_text("[1]")
    assert "found list, expected an object" in read_training_log(tmp_path)[1][0]


def test_llama_factorys_lines_are_read_where_there_is_no_state(tmp_path: Path) -> None:
    lines = ['{"current_steps": 5, "total_steps": 10, "loss": 2.0, "lr": 0.001, "epoch": 0.5}', "{cut", "",
             '{"current_steps": 5, "total_steps": 10, "eval_loss": 2.2}', '{"current_steps": 10, "loss": 1.0, "lr": 0.0}']  # fmt: skip
    (tmp_path / "trainer_log.jsonl").write_text("\n".join(lines))
    log, notes = read_training_log(tmp_path)
    assert log.source == "trainer_log.jsonl" and _losses(log) == [(5, 2.0), (10, 1.0)]
    assert log.train[0].values["learning_rate"] == 0.001 and len(log.evaluations) == 1
    assert notes == ("trainer_log.jsonl: line 2 cannot be read as JSON and is left out.",)


@pytest.mark.parametrize("rows", [None, "text", [1, "two"], [{"step": "5", "loss": 1.0}], [{"step": 3, "loss": "low"}]])
def test_rows_that_are_none_are_passed_over(tmp_path: Path, rows: Any) -> None:
    log, notes = read_training_log(_state(tmp_path, rows))
    assert len(log.train) <= 1 and not log.evaluations and notes == ()


def test_no_log_is_no_remark(tmp_path: Path) -> None:
    assert read_training_log(tmp_path) == (TrainingLog(), ())
