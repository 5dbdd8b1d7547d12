"""The open example's answers, each read by the other model: where a variant finds what it wrote likelier than the reference does."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.adapters.kept import AdapterJob
from core.charts.cross import cross_gains_table, cross_table
from core.charts.gain import gain_heatmap
from core.cross.kept import CrossRequest, Reading, cross_job
from core.cross.summary import CrossRow
from core.gains import GainStrip, gain_strip
from core.notation import counted
from core.records import BASELINE
from core.wording.cross import answer_sentence, summary_sentence, what_it_estimates
from dashboard import example_cache, state
from dashboard.parts import frame
from dashboard.parts.adapter_job import job_panel
from dashboard.parts.example_card import Card
from dashboard.parts.example_scene import ExampleScene
from dashboard.parts.export_menu import export_menu
from dashboard.parts.gain_strip import draw_gain_strip

BUTTON = "Read each answer with the other model"


@dataclass(frozen=True)
class _Answer:
    """One answer as two variants read it."""

    variant: str
    writer: str
    strip: GainStrip | None
    reason: str | None
    """Why there is no strip."""


def draw_cross(scene: ExampleScene, card: Card) -> None:
    """Draw where each shown variant finds its own answer and the reference's likelier than the reference does, or the button for it.

    Draws nothing for tasks without generated answers, and for runs that are not finished or whose models are not known.
    """
    run, spec = scene.run, scene.run.spec
    served = spec.models.served
    # Whoever answers from a server, or by a classification head, cannot read what others wrote.
    others = [
        p.variant for p in card.panes if p.variant not in (scene.reference, *served) and p.answer.text is not None
    ]
    if (
        not spec.tasks[scene.task].generates
        or spec.models.imported
        or not others
        or {scene.reference, BASELINE} & {*served}
    ):
        return
    found = example_cache.cross_folder_of(run, scene.task)
    if found is None:
        return
    folder, evidence_hash = found
    name = card.example.id
    job = cross_job(CrossRequest(run.folder, scene.task, tuple(others), scene.reference, (name,)), evidence_hash)
    readings = example_cache.cross_readings(folder, name, (scene.reference, *others))
    answers = _answers(card, readings, others, scene.reference)
    with st.container(key="chart-examples-cross"):
        if answers:
            _result(scene, name, answers)
        _button(scene, job, len(others), complete=len(answers) == 2 * len(others))
        summary = example_cache.cross_summary(run, scene.task, folder, others, scene.reference)
        _summary(scene, [row for row in summary if row.complete])


def _button(scene: ExampleScene, job: AdapterJob, n_others: int, complete: bool) -> None:
    n = len(scene.table.ids)
    note = (
        f"Loads the base and {counted(n_others, 'variant')} once, and keeps the log-likelihood of every token of the answers with "
        f"the run. All {n:,} examples at once: lorascope cross {scene.run.id} --task {scene.task}"
    )
    job_panel(job, BUTTON, note, again=complete)


def _answers(
    card: Card, readings: Mapping[tuple[str, str], Reading], others: Sequence[str], reference: str
) -> list[_Answer]:
    """Return every answer that both a variant and the reference have read, the variant's own first."""
    texts = {pane.variant: pane.answer.text for pane in card.panes} | {card.other: card.other_answer.text}
    made = []
    for variant in others:
        for writer in (variant, reference):
            ours, theirs = readings.get((writer, variant)), readings.get((writer, reference))
            if ours is None or theirs is None:
                continue
            if ours.likelihood is None or theirs.likelihood is None:
                made.append(_Answer(variant, writer, None, ours.reason or theirs.reason))
            else:
                strip = gain_strip(texts.get(writer) or "", ours.likelihood, theirs.likelihood)
                made.append(_Answer(variant, writer, strip, None))
    return made


def _result(scene: ExampleScene, name: str, answers: Sequence[_Answer]) -> None:
    """Draw each variant's own answer and the reference's beside each other, in colours of one scale."""
    strips = {(one.variant, one.writer): one.strip for one in answers if one.strip is not None}
    frame.heading("Each answer read by the other model")
    if strips:
        chosen = next((key for key in strips if key == (scene.variant, scene.variant)), next(iter(strips)))
        title = f"{name}: the answer of {chosen[1]}"
        export_menu(
            "examples-cross", f"{scene.run.id}-{scene.task}-answers-{name}",
            lambda: cross_gains_table(strips, scene.reference),
            lambda: gain_heatmap(strips[chosen], title, chosen[0], scene.reference, state.mode()),
        )  # fmt: skip
    scale = max((strip.scale for strip in strips.values()), default=1.0)
    for variant in dict.fromkeys(one.variant for one in answers):
        of_variant = [one for one in answers if one.variant == variant]
        for column, one in zip(st.columns(2), of_variant, strict=False):
            with column:
                _answer(scene, one, scale)


def _answer(scene: ExampleScene, one: _Answer, scale: float) -> None:
    if one.strip is None:
        why = f"{one.writer}'s answer: {one.reason or 'not read'}."
        st.html(f'<p class="ls-foot">{html.escape(why)}</p>')
        return
    sentence = answer_sentence(one.strip, one.writer, one.variant, scene.reference)
    st.html(f'<p class="ls-cross">{html.escape(sentence)}</p>')
    draw_gain_strip(
        one.strip, scale, one.variant, scene.reference, state.mode(), f"cross-{one.variant}-{one.writer}", f"{one.writer}'s answer"
    )  # fmt: skip


def _summary(scene: ExampleScene, rows: Sequence[CrossRow]) -> None:
    """Draw the means over all examples, once all of them were read."""
    if not rows:
        return
    with st.container(key="chart-examples-cross-all"):
        frame.heading("All answers read by the other model")
        export_menu("examples-cross-all", f"{scene.run.id}-{scene.task}-answers", lambda: cross_table(rows))
        st.html("".join(f'<p class="ls-cross">{html.escape(summary_sentence(row))}</p>' for row in rows))
        told = what_it_estimates(rows[0].divergence, rows[0].level)
        how = f"Variant minus {scene.reference}; {rows[0].difference.method}."
        st.html(f'<p class="ls-foot">{html.escape(f"{told} {how}")}</p>')


CROSS_CSS = ".ls-cross { font-size: .88rem; line-height: 1.4; overflow-wrap: anywhere; } "
