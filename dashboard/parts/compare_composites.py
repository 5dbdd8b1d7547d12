"""Compare's section on composites: the user's weighted scores, and how far a ranking by them depends on the weights."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import streamlit as st

from core.charts.radar import MOST_VARIANTS, composite_forest, composite_radar
from core.charts.tables import comparison_table as comparison_data
from core.charts.theme import Mode
from core.composite.results import CompositeResult, WeightDependence
from core.notation import UNIT_NAMES, in_shown_unit, percent, value_texts
from core.results import Comparison
from core.wording.composites import dependence_sentence, share_text
from dashboard import result_cache, state
from dashboard.parts import frame
from dashboard.parts.compare_scene import CompareScene
from dashboard.parts.evidence_table import evidence_table
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.linked_html import linked_html
from dashboard.parts.metric_cell import variant_name

COMPOSITE = "composite"


def draw_composites(scene: CompareScene) -> None:
    """Draw the section, or what to do to have one."""
    found = {one.name: one for one in result_cache.composites_of(scene.run, scene.chosen.reference, scene.chosen.slice)}
    if not found:
        frame.face(
            "This run declares no composite",
            "Declare weights in workspace.yaml, composites: {desk: {weights: {category/accuracy: 2, reply/rouge_l: 1}}}, and "
            "evaluate. Metrics without bounds, such as perplexity, need a scale: {reply/perplexity: [worst, best]}.",
        )
        return
    name = scene.choices.one(COMPOSITE, list(found)) or next(iter(found))
    if len(found) > 1:
        left, _ = st.columns([3, 2])
        left.selectbox("Composite", list(found), **scene.choices.widget(COMPOSITE, name))
    result, mode = found[name], state.mode()
    comparison = replace(scene.comparison, rows=tuple(one.row for one in found.values()))
    if result.dependence is not None:
        st.html(f'<div class="ls-lead">{escape(dependence_sentence(result.dependence))}</div>')
    with st.container(key="chart-composite-table"):
        frame.heading(f"{name}: a weighted mean of {len(result.parts)} metrics, each mapped to 0-100 %")
        export_menu("composite-table", f"{scene.run.id}-composite", lambda: comparison_data(comparison))
        linked_html(evidence_table(comparison, result.row, mode, scene.variant), "composite-evidence")
    tests = sum(found.p is not None for row in comparison.rows for found in row.differences.values())
    st.html(
        f'<p class="ls-foot">{percent(comparison.level)} intervals from the same resamples as all metrics; adjusted by Benjamini and '
        f"Hochberg over the {tests} tests of all composites. {escape(_signature(result))}</p>"
    )
    left, right = st.columns([3, 2])
    with left:
        chart(
            composite_forest(result, comparison.variants, comparison.reference, comparison.level, mode), "composite",
            scene.run.id, lambda: comparison_data(replace(comparison, rows=(result.row,))), alt=f"{name} of each variant",
        )  # fmt: skip
    with right:
        shown = _on_radar(result, comparison, scene.variant)
        chart(
            composite_radar(result, comparison.variants, comparison.reference, shown, mode), "radar", scene.run.id,
            lambda: comparison_data(replace(comparison, rows=(result.row,))), alt=f"The parts of {name}, each mapped to 0-1",
        )  # fmt: skip
        st.html('<p class="ls-foot">A summary to look at: areas mean nothing, and intervals are left out.</p>')
    _parts(result, comparison, mode)
    if result.dependence is not None:
        _dependence(result.dependence, comparison, mode)


def _on_radar(result: CompositeResult, comparison: Comparison, variant: str | None) -> list[str]:
    """Return the reference, the chosen variant and then those with the highest composite."""

    def height(name: str) -> float:
        value = result.row.values[name].value if name in result.row.values else None
        return -1.0 if value is None else value

    ordered = sorted(comparison.variants, key=height, reverse=True)
    wanted: list[str] = [comparison.reference, *([variant] if variant else []), *ordered]
    return list(dict.fromkeys(wanted))[:MOST_VARIANTS]


def _parts(result: CompositeResult, comparison: Comparison, mode: Mode) -> None:
    names = [comparison.reference, *(name for name in comparison.variants if name != comparison.reference)]
    head = "".join(f"<th>{variant_name(comparison, name, mode)}</th>" for name in names)
    lines = []
    for part in result.parts:
        ends = " to ".join(f"{in_shown_unit(end, part.unit):g}" for end in (part.worst, part.best))
        scale = f"{ends} {UNIT_NAMES[part.unit]}".rstrip() + (", declared" if part.declared_scale else "")
        cells = "".join(
            f"<td>{'–' if (at := part.scaled.get(name)) is None else f'{100 * at:.1f}'} "
            f"<small>{escape(value_texts(part.values[name], part.unit)[0]) if name in part.values else ''}</small></td>"
            for name in names
        )
        lines.append(
            f"<tr><th>{escape(part.key)}</th><td>{part.weight:g} <small>{share_text(part.share)}</small></td>"
            f"<td><small>{escape(scale)}</small></td>{cells}</tr>"
        )
    frame.heading("Its parts, mapped to 0-100 % (beside it the metric's own value)")
    head = f"<thead><tr><th>Metric</th><th>Weight</th><th>Scale</th>{head}</tr></thead>"
    linked_html(f'<table class="wide dense">{head}<tbody>{"".join(lines)}</tbody></table>', "composite-parts")


def _dependence(found: WeightDependence, comparison: Comparison, mode: Mode) -> None:
    lines = "".join(
        f"<tr><th>{variant_name(comparison, name, mode)}</th><td>{share_text(found.around.get(name, 0.0))}</td>"
        f"<td>{share_text(found.anywhere.get(name, 0.0))}</td></tr>"
        for name in comparison.variants
        if name in found.around
    )
    frame.heading("First under other weights")
    head = "<tr><th></th><th>Near the declared weights</th><th>Any weights</th></tr>"
    linked_html(f'<table class="numbers"><thead>{head}</thead><tbody>{lines}</tbody></table>', "composite-weights")
    st.html(
        f'<p class="ls-foot">Share of {found.draws:,} drawn weightings (seed {found.seed}) under which a variant is first: Dirichlet '
        f"around the declared weights (concentration {found.concentration:g}), and uniform. Of the values as they are; their "
        "uncertainty is another matter.</p>"
    )


def _signature(result: CompositeResult) -> str:
    signatures = {value.signature: None for value in result.row.values.values() if value.signature}
    return f"Computed as {' and '.join(signatures)}." if signatures else ""
