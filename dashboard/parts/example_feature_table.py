"""Several text features beside each other: how often each occurs in every variant's answers, as one table."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from core.charts.tables import comparison_table as comparison_data
from core.text_features import TextFeature, as_comparison, feature_from
from core.text_features.rates import DESCRIBED
from dashboard import example_cache, state
from dashboard.parts.example_scene import ExampleScene
from dashboard.parts.export_menu import export_menu
from dashboard.parts.linked_html import linked_html
from dashboard.parts.metric_tables import comparison_table

BESIDE = "features"
_KINDS = ("refusal", "list", "heading", "length")
"""Those that need nothing typed; the usual language takes a detector's time and is asked for alone."""


def draw_feature_table(scene: ExampleScene, asked: TextFeature | None, positions: np.ndarray, tested: bool) -> None:
    """Draw the switch and, once it is on, the table.

    Args:
        scene: of the page.
        asked: the feature that is asked for above, if any; it comes first.
        positions: the examples that all other filters leave.
        tested: whether they leave them without a look at the answers.
    """
    if not (scene.run.spec.tasks[scene.task].generates or scene.run.spec.models.imported) or not len(positions):
        return
    with st.container(key="chart-examples-feature-table"):
        st.toggle("Text features beside each other", **scene.choices.switch(BESIDE))
        if not scene.choices.flag(BESIDE):
            return
        features = _features(scene, asked)
        rows = example_cache.feature_rows(scene.run, scene.task, features, scene.reference, positions, tested)
        comparison = as_comparison(scene.run, scene.reference, *rows)
        export_menu(
            "examples-feature-table", f"{scene.run.id}-{scene.task}-features", lambda: comparison_data(comparison)
        )
        linked_html(comparison_table(comparison, state.mode(), None), "examples-feature-table-rows")
        st.html(f'<p class="ls-foot">{html.escape(_reading(len(positions), tested))}</p>')


def _features(scene: ExampleScene, asked: TextFeature | None) -> tuple[TextFeature, ...]:
    usual = str(example_cache.median_length(scene.run, scene.task))
    plain = [feature_from(kind, usual if kind == "length" else "") for kind in _KINDS]
    return tuple(dict.fromkeys([*([asked] if asked else []), *plain]))


def _reading(n: int, tested: bool) -> str:
    if not tested:
        return f"{DESCRIBED.capitalize()}."
    return (
        f"% of the answers of {n:,} examples, and points of difference; p adjusted over all variants and features of this table "
        "(Benjamini and Hochberg). Long: half of all answers are at least so long. Neither more nor less of a feature is better."
    )
