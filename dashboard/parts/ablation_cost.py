"""Ablations' part on cost: which of the adapters are worth theirs, and how probably another one beats each on both."""

from __future__ import annotations

import streamlit as st

from core.charts.ablation_cost import cost_heading, dominated_rows, pareto_figure
from core.charts.ablation_tables import pareto_table
from dashboard import state
from dashboard.parts.ablation_scene import COST, AblationScene, grey
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import chart


def draw_cost(scene: AblationScene) -> None:
    """Draw the part."""
    found = {one.cost: one for one in scene.table.pareto if one.points}
    if not found:
        grey("No cost of these adapters is known: their files do not say, and the run has no probe of speed.")
        return
    name = scene.pick(COST, list(found))
    st.selectbox(
        "Cost", list(found), format_func=lambda name: cost_heading(found[name]), width=320, **scene.widget(COST, name)
    )
    pareto = found[name]
    figure = pareto_figure(pareto, scene.outcome, scene.analysis.level, scene.analysis.variants, state.mode())
    left, right = st.columns([13, 9], gap="medium")
    with left:
        chart(
            figure, f"pareto{scene.suffix}", scene.run.id, lambda: pareto_table(pareto),
            alt=f"{scene.outcome.label} against {pareto.label} of each variant",
        )  # fmt: skip
    columns = (
        Column("Variant", "auto"), Column("Cost", "7rem", "number"), Column("Dominated", "6.5rem", "number"),
    )  # fmt: skip
    with right:
        exact_table(columns, dominated_rows(pareto), f"dominated{scene.suffix}", name="How probably each is dominated")
    grey(
        "Dominated: the probability that another variant is at least as good and as cheap, and better in one; the share of "
        f"{pareto.resamples:,} resamples of {pareto.n:,} examples. The % beside a name is the share in which it is not.",
        f"Not known of {', '.join(pareto.left_out)}." if pareto.left_out else "",
    )
