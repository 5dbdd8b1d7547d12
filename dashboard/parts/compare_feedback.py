"""Compare's section on user feedback: satisfaction by variant, and the file that brings feedback from elsewhere."""

from __future__ import annotations

import html
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import streamlit as st

from core.charts.forest import forest_of_metric
from core.charts.tables import comparison_table as comparison_data
from core.errors import InputError, RunError
from core.feedback import PAGE, import_feedback
from core.notation import metric_name
from core.store import Run
from dashboard import result_cache, state
from dashboard.parts import frame
from dashboard.parts.compare_scene import CompareScene
from dashboard.parts.evidence_table import evidence_table
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.linked_html import linked_html
from dashboard.parts.navigation import page_link

_TOLD = "feedback-told"
_LISTED = 10
KINDS = ["jsonl", "json", "csv", "parquet"]


def draw_feedback(scene: CompareScene) -> None:
    """Draw the section."""
    comparison = scene.comparison
    rows = [row for row in comparison.rows if row.family == "user feedback"]
    found = result_cache.feedback(scene.run)
    if not rows:
        frame.face(
            "Nobody has rated an answer yet",
            "Give thumbs and notes on the Examples page, or import a file below.",
        )
        page_link("examples", "Rate answers on Examples", scene.chosen.link())
    else:
        sources = Counter("these pages" if source == PAGE else source.partition("#")[0] for source, _ in found.latest)
        said = ", ".join(f"{count:,} from {source}" for source, count in sources.most_common(4))
        st.html(
            f'<div class="ls-lead">{sum(sources.values()):,} answers with a thumb or a note: {html.escape(said)}.</div>'
        )
    for row in rows:
        one = replace(comparison, rows=(row,))
        with st.container(key=f"chart-feedback-{row.task}"):
            frame.heading(metric_name(row))
            export_menu(
                f"feedback-{row.task}", f"{scene.run.id}-feedback-{row.task}", lambda one=one: comparison_data(one)
            )
            linked_html(evidence_table(one, row, state.mode(), scene.variant), f"feedback-evidence-{row.task}")
            st.html(f'<p class="ls-foot">{html.escape(_reading(row.caution))}</p>')
        if any(difference.difference is not None for difference in row.differences.values()):
            chart(
                forest_of_metric(one, row.key, state.mode()), f"satisfaction-{row.task}", scene.run.id,
                lambda one=one: comparison_data(one), alt="Difference in satisfaction to the reference, with intervals",
            )  # fmt: skip
    for warning in found.warnings:
        st.html(f'<p class="ls-foot">{html.escape(warning)}</p>')
    _import(scene.run)


def _reading(caution: str) -> str:
    return (
        "Share of thumbs up among thumbs; several on one answer are averaged first. Differences are paired over the examples with "
        f"thumbs for both; adjusted by Benjamini and Hochberg over the tests of satisfaction alone. {caution}"
    )


def _import(run: Run) -> None:
    with st.container(border=True, key="feedback-import"):
        uploaded = st.file_uploader(
            "Import feedback", type=KINDS, key="feedback-file",
            help="JSONL, CSV or Parquet; a row has id, variant and thumb (up or down), and as needed note, source, task.",
        )  # fmt: skip
        if uploaded is not None and st.button("Add it to this run", key="feedback-add"):
            st.session_state[_TOLD] = _imported(run, uploaded.name, uploaded.getvalue())
            st.rerun()
        for sentence in st.session_state.pop(_TOLD, ()):
            st.html(f'<p class="ls-foot" role="status">{html.escape(sentence)}</p>')


def _imported(run: Run, name: str, content: bytes) -> list[str]:
    """Add a file's rows to the run, and return what became of them as sentences."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(name).name or "feedback.jsonl")
        try:
            path.write_bytes(content)
            report = import_feedback(run, path)
        except (InputError, RunError, OSError) as error:
            return [str(error).replace(f"{folder}/", "")]
    unchanged = f"; {report.unchanged:,} were known already" if report.unchanged else ""
    rows = "1 row" if report.imported == 1 else f"{report.imported:,} rows"
    told = [f"{rows} of {name} added{unchanged}.", *report.skipped[:_LISTED]]
    more = len(report.skipped) - _LISTED
    return told if more <= 0 else [*told, f"And {more:,} more rows were left out."]
