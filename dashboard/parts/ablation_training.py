"""Ablations' part on training: the learning curves of all adapters in one picture, their best points and their over-fit gaps."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.adapters.over_fit import over_fit
from core.adapters.training_log import TrainingLog
from core.charts.adapter_tables import log_table, over_fit_rows, over_fit_table
from core.charts.learning_curves import AXES, curve_axes, curve_label, curve_names, learning_curves
from core.errors import InputError
from dashboard import adapter_cache, state
from dashboard.parts.ablation_scene import AXIS, CURVE, AblationScene, grey
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.frame import heading


def draw_training(scene: AblationScene) -> None:
    """Draw the part."""
    logs, without = _logs(scene)
    names = curve_names(list(logs.values()))
    if not names:
        grey(
            "No adapter has a training log: no trainer_state.json and no trainer_log.jsonl. TRL's save_model writes none; "
            "trainer.save_state() does."
        )
        return
    axes = curve_axes(list(logs.values()))
    # Training losses of many adapters hide each other, and are of different rows where the data differs.
    usual = "eval_loss" if "eval_loss" in names else names[0]
    curve, axis = scene.choices.one(CURVE, names) or usual, scene.pick(AXIS, axes)
    left, right, _ = st.columns([2, 2, 4])
    left.selectbox("Shown", names, format_func=curve_label, **scene.widget(CURVE, curve))
    right.selectbox("Over", axes, format_func=lambda name: AXES[name], **scene.widget(AXIS, axis))
    chart(
        learning_curves(logs, scene.colours, curve, axis, state.mode(), f"{curve_label(curve)} over {len(logs)} trainings"),
        f"curves{scene.suffix}", scene.run.id, lambda: log_table(logs), alt="What the trainers logged, all adapters",
    )  # fmt: skip
    _ends(scene, logs)
    grey(
        "Over-fit gap: held-out loss at the end minus the mean training loss since the evaluation before. One training each: a curve "
        "has no interval; held-out losses are on the rows that each trainer held out.",
        f"Without a training log: {', '.join(without)}." if without else "",
    )


def _logs(scene: AblationScene) -> tuple[dict[str, TrainingLog], list[str]]:
    """Return the logs of the table's adapters, and the adapters without one."""
    logs: dict[str, TrainingLog] = {}
    without = []
    for row in scene.table.rows:
        try:
            log = adapter_cache.facts(scene.chosen.workspace.adapter_folder(row.variant)).training_log
        except (InputError, OSError):
            log = None
        if log:
            logs[row.variant] = log
        else:
            without.append(row.variant)
    return logs, without


def _ends(scene: AblationScene, logs: Mapping[str, TrainingLog]) -> None:
    found = {name: over_fit(log) for name, log in logs.items()}
    rows = over_fit_rows(found)
    if not rows:
        grey("No held-out loss was logged, so neither a best point nor an over-fit gap is known.")
        return
    columns = (
        Column("Adapter", "auto"), Column("Best held-out loss", "10rem", "number"), Column("At step", "6rem", "number"),
        Column("At the end", "7rem", "number"), Column("Risen since the best", "10rem", "number"),
        Column("Over-fit gap", "8rem", "number"),
    )  # fmt: skip
    with st.container(key=f"chart-over-fit{scene.suffix}"):
        heading("Best points and over-fit gaps")
        export_menu(f"over-fit{scene.suffix}", f"{scene.run.id}-over-fit", lambda: over_fit_table(found))
        exact_table(columns, rows, f"over-fit-rows{scene.suffix}", name="Best points and over-fit gaps")
