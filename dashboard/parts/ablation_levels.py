"""Ablations' part on levels: what each level of a choice gave, along a dose with the baseline's band, and two choices at once."""

from __future__ import annotations

import streamlit as st

from core.ablation.records import Trend
from core.charts.ablation_tables import interaction_table, main_effect_table, trend_table
from core.charts.interactions import interaction_panels
from core.charts.main_effects import dose_curve, main_effect_panels
from dashboard import state
from dashboard.parts.ablation_scene import FACTOR, AblationScene, grey
from dashboard.parts.export_menu import chart


def draw_levels(scene: AblationScene) -> None:
    """Draw the part."""
    if not scene.table.main_effects:
        grey(scene.table.reason or "No choice has two levels or more: there is nothing to compare.")
        return
    _doses(scene)
    _main_effects(scene)
    _interactions(scene)


def _doses(scene: AblationScene) -> None:
    trends = {trend.factor.name: trend for trend in scene.table.trends}
    if not trends:
        grey("No choice that is a number has three levels or more, so there is no dose to follow.")
        return
    name = scene.pick(FACTOR, list(trends))
    if len(trends) > 1:
        st.selectbox(
            "Along", list(trends), format_func=lambda name: trends[name].factor.label, width=260, **scene.widget(FACTOR, name)
        )  # fmt: skip
    _dose(scene, trends[name])


def _dose(scene: AblationScene, trend: Trend) -> None:
    chart(
        dose_curve(trend, scene.outcome, scene.analysis.level, scene.analysis.baseline, scene.colours, state.mode()),
        f"dose{scene.suffix}", scene.run.id, lambda: trend_table(trend), alt=f"{scene.outcome.label} along {trend.factor.label}",
    )  # fmt: skip
    grey(
        " ".join(filter(None, (trend.statement, trend.reason))),
        f"Other choices: {trend.others}" if trend.others else "",
    )


def _main_effects(scene: AblationScene) -> None:
    effects = scene.table.main_effects
    figure = main_effect_panels(
        effects, scene.outcome, scene.analysis.level, scene.analysis.n, scene.colours, state.mode()
    )
    chart(
        figure, f"main-effects{scene.suffix}", scene.run.id, lambda: main_effect_table(effects),
        alt=f"{scene.outcome.label} by the levels of each choice",
    )  # fmt: skip
    for effect in effects:
        told = [
            effect.others,
            "" if effect.matched else "the levels were not seen with the same other choices, which mix in",
            effect.note,
        ]
        grey(f"{effect.factor.label}: {'; '.join(text for text in told if text)}" if any(told) else "")


def _interactions(scene: AblationScene) -> None:
    found = [one for one in scene.table.interactions if one.can_tell]
    if found:
        chart(
            interaction_panels(found, scene.outcome, scene.reading, state.mode()), f"interactions{scene.suffix}", scene.run.id,
            lambda: interaction_table(found), alt=f"{scene.outcome.label}: two choices at once",
        )  # fmt: skip
    for one in scene.table.interactions:
        if one.note or not one.can_tell:
            never = f"{one.rows.label} with {one.columns.label}: two levels of each were never run in all four combinations."
            grey(one.note or never)
