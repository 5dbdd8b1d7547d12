"""Turn what `core` says about examples into the words, marks and bars that the Examples page shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.example_options import read_one
from core.examples import ExampleTable, Measure, Outcome, Selection, measure_of, outcomes
from core.judging import score_text
from core.metrics.metric import Metric
from core.notation import UNIT_NAMES, decimals, in_shown_unit, number_text
from core.store import Run
from core.thinking import thinking_of
from dashboard import cache, example_cache
from dashboard.parts.example_card import Card, Pane
from dashboard.parts.example_list import Bar, Row

MARKS: dict[Outcome, str] = {
    "fixed": "▲", "gained": "▲", "broken": "▼", "lost": "▼", "both right": "✓", "both wrong": "✗", "unchanged": "–", "no value": "·",
}  # fmt: skip
_BETTER: dict[Outcome, bool] = {"fixed": True, "gained": True, "broken": False, "lost": False}


_FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
OTHER_SCORES_UP_TO = 5_000
"""Examples up to which a pane shows the scores under all metrics, not under the chosen one alone."""


@dataclass(frozen=True)
class Scored:
    """A metric with the examples' scores."""

    metric: Metric
    scores: pd.DataFrame
    """Rows as the example table, columns variants."""
    measure: Measure


def prompt_fields(run: Run, task: str) -> tuple[str, ...]:
    """Return the fields that a task's prompt names, in order; the first tells its examples apart best."""
    return tuple(dict.fromkeys(_FIELD.findall(run.spec.tasks[task].prompt or "")))


def prompt_field(run: Run, task: str) -> str | None:
    """Return the first field that a task's prompt names; None without one."""
    return next(iter(prompt_fields(run, task)), None)


def scored_by(run: Run, task: str, metric: Metric) -> Scored:
    """Return every example's score under a metric."""
    scores = cache.example_scores_of(run, task, metric.name)
    return Scored(metric, scores, measure_of(metric, scores, run.spec.tasks[task].bands.get(metric.name)))


def other_scores(run: Run, task: str, metrics: Mapping[str, Metric], chosen: str | None) -> list[Scored]:
    """Return the scores under the metrics that were not chosen; nothing in large runs, where they are not worth the wait."""
    if len(cache.example_table(run, task).ids) > OTHER_SCORES_UP_TO:
        return []
    return [scored_by(run, task, metric) for name, metric in metrics.items() if name != chosen]


def threshold_text(measure: Measure) -> str:
    """Return what counts as gained or lost, as a sentence."""
    unit = UNIT_NAMES[measure.unit] or measure.label
    amount = in_shown_unit(measure.threshold, measure.unit)
    shown = number_text(amount, 0 if amount == round(amount) else decimals([amount], measure.unit))
    unit = "points" if unit == "%" else unit
    reason = "" if measure.threshold_source == "five points" else f" ({measure.threshold_source})"
    return f"Gained or lost: moved by more than {shown} {unit}{reason}."


def lead(measure: Measure, counts: Mapping[Outcome, int], variant: str, reference: str) -> str:
    """Return the page's answer as a sentence."""
    n = sum(counts.values()) - counts.get("no value", 0)
    if not n:
        return f"No example has a value of {measure.label} under both {variant} and {reference}."
    did = (
        f"fixes {counts['fixed']:,} and breaks {counts['broken']:,}"
        if measure.rate
        else f"gains on {counts['gained']:,} and loses on {counts['lost']:,}"
    )
    return f"{variant} {did} of {n:,} examples against {reference} ({measure.label})."


def better(outcome: Outcome) -> bool | None:
    """Return whether an outcome is for the better; None for neither."""
    return _BETTER.get(outcome)


def list_rows(
    table: ExampleTable, positions: Sequence[int], selection: Selection | None, scored: Scored | None,
    snippets: Mapping[str, str], colours: Mapping[str, str], noted: frozenset[str], reference: str,
    flagged: frozenset[str] = frozenset(),
) -> list[Row]:  # fmt: skip
    """Return the lines of the list for the examples at ``positions``."""
    place = table.tag_at
    rows = []
    for position in positions:
        name = str(table.ids[position])
        first, last = np.searchsorted(place, [position, position + 1])
        tags = tuple(_short(table.tag_names[number]) for number in table.tag_of[first:last])
        bars, outcome, difference = (), "no value", ""
        if scored is not None and selection is not None:
            outcome = selection.outcome[position]
            values = scored.scores.iloc[position]
            bars = tuple(
                Bar(
                    variant,
                    colour,
                    scored.measure.drawn(float(values[variant])),
                    score_text(scored.measure, float(values[variant])),
                )
                for variant, colour in colours.items()
            )
            difference = _difference(scored.measure, float(selection.difference[position]), outcome)
        meaning = f"{outcome} against {reference}" if scored is not None else ""
        mark = MARKS[outcome] if scored is not None else ""
        rows.append(
            Row(
                name,
                snippets.get(name, ""),
                tags,
                bars,
                mark,
                meaning,
                difference,
                better(outcome),
                name in noted,
                name in flagged,
            )
        )
    return rows


def card_of(
    run: Run, task: str, example_id: str, position: int, variants: Sequence[str], reference: str, scored: Scored | None,
    others: Sequence[Scored], colours: Mapping[str, str], marking: str,
) -> Card | None:  # fmt: skip
    """Return all that is shown of one example; None if its text is not there."""
    example = example_cache.example(run, task, example_id)
    if example is None:
        return None
    spec = run.spec.tasks[task]
    evidence = example_cache.example_evidence(run, task, example_id)
    ordered, rule = [scored, *others] if scored else [], thinking_of(run, task)
    panes = []
    for variant in variants:
        numbers = [(each.measure, float(each.scores[variant].iloc[position])) for each in ordered]
        texts = tuple((measure.label, score_text(measure, number)) for measure, number in numbers)
        verdict, is_better = "", None
        if scored is not None and variant != reference:
            difference, classes = outcomes(scored.scores.iloc[[position]], variant, reference, scored.measure)
            outcome: Outcome = classes[0]
            is_better = better(outcome)
            verdict = f"{MARKS[outcome]} {_difference(scored.measure, float(difference[0]), outcome)}"
        panes.append(
            Pane(
                variant,
                colours[variant],
                read_one(spec, example, evidence.get(variant, ()), rule),
                texts,
                verdict,
                is_better,
            )
        )
    answers = {pane.variant: pane.answer for pane in panes}
    other = answers.get(reference) or read_one(spec, example, evidence.get(reference, ()), rule)
    original = None if spec.perturbation is None else example_cache.example(run, spec.perturbation.of, example_id)
    return Card(example, spec, tuple(panes), reference, other, marking != "off", marking == "both", original)


def _difference(measure: Measure, difference: float, outcome: Outcome) -> str:
    return outcome if measure.rate or outcome == "no value" else score_text(measure, difference, signed=True)


def _short(tag: str) -> str:
    """Return a tag as it reads best in a narrow list: the value alone, unless it says nothing without its field."""
    field, _, value = tag.partition("=")
    return {"true": field, "false": f"not {field}"}.get(value.lower(), value)
