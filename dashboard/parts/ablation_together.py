"""Ablations' part on all choices at once: parallel coordinates, heights over two of them, analysis of variance, importance."""

from __future__ import annotations

import streamlit as st

from core.charts.ablation_space import factor_pairs, parallel_axes, qualities
from core.charts.ablation_tables import anova_table, importance_table, values_table
from core.charts.anova import anova_rows
from core.charts.contour import contour_figure
from core.charts.factor_words import outcome_heading
from core.charts.importance import importance_figure
from core.charts.parallel import parallel_coordinates
from core.notation import counted
from dashboard import state
from dashboard.parts.ablation_scene import PAIR, AblationScene, grey
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.frame import heading


def draw_together(scene: AblationScene) -> None:
    """Draw the part."""
    if not scene.table.factors:
        grey(scene.table.reason or "No choice differs between these adapters.")
        return
    _parallel(scene)
    _contour(scene)
    _importance(scene)
    _anova(scene)


def _parallel(scene: AblationScene) -> None:
    axes = parallel_axes(scene.table, scene.outcome)
    runs = counted(len(scene.table.rows), "run")
    figure = parallel_coordinates(
        axes, scene.colours, f"Every choice, and {scene.outcome.task}: {scene.outcome.label}",
        f"a line a run, {runs}; n = {scene.analysis.n}; what goes together here need not be an effect", state.mode(),
    )  # fmt: skip
    chart(
        figure, f"parallel{scene.suffix}", scene.run.id, lambda: values_table({axis.name: axis.values for axis in axes}),
        alt="Parallel coordinates of the choices and the metric",
    )  # fmt: skip


def _contour(scene: AblationScene) -> None:
    pairs = {" and ".join(pair.names): pair for pair in factor_pairs(scene.table) if pair.is_surface}
    if not pairs:
        grey(
            "No heights over two choices: that takes two choices that are numbers, and four neighbouring combinations of them, all run."
        )
        return
    name = scene.pick(PAIR, list(pairs))
    if len(pairs) > 1:
        st.selectbox("Over", list(pairs), width=320, **scene.widget(PAIR, name))
    pair, values = pairs[name], qualities(scene.table, scene.outcome)
    columns = {pair.names[i]: {variant: cell[i] for variant, cell in pair.values.items()} for i in (0, 1)}
    chart(
        contour_figure(pair, values, scene.colours, outcome_heading(scene.outcome), f"n = {scene.analysis.n}", state.mode()),
        f"contour{scene.suffix}", scene.run.id, lambda: values_table(columns | {scene.outcome.key: values}),
        alt=f"{scene.outcome.label} over {name}",
    )  # fmt: skip


def _importance(scene: AblationScene) -> None:
    found = scene.table.importance
    if not found.bars:
        grey(f"No importance is shown: {(found.reason or 'it cannot be told here').rstrip('.')}.")
        return
    chart(
        importance_figure(found, scene.outcome, state.mode()), f"importance{scene.suffix}", scene.run.id,
        lambda: importance_table(found), alt="Importance of each choice beside what shuffled outcomes give",
    )  # fmt: skip


def _anova(scene: AblationScene) -> None:
    found = scene.table.anova
    if not found.rows:
        grey(f"No analysis of variance is shown: {(found.reason or 'it cannot be told here').rstrip('.')}.")
        return
    columns = (
        Column("Choice", "auto"), Column("df", "4rem", "number"), Column("Share of variance", "8rem", "number"),
        Column("F", "6rem", "number"), Column("p", "7rem", "number"), Column("Variance inflation", "8rem", "number"),
    )  # fmt: skip
    with st.container(key=f"chart-anova{scene.suffix}"):
        heading("Analysis of variance, type II")
        export_menu(f"anova{scene.suffix}", f"{scene.run.id}-anova", lambda: anova_table(found))
        exact_table(columns, anova_rows(found), f"anova-rows{scene.suffix}", name="Analysis of variance")
    grey(
        f"{counted(found.n_runs, 'run')}, {found.residual_degrees} residual degrees of freedom; p not adjusted",
        *found.warnings,
    )
