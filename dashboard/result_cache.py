"""What the sections of Compare keep between reruns, beside `dashboard.cache`: slices, composites and what users said.

Keyed, as there, by the state of the files that are read; values are shared by all sessions and must not be changed.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from core.charts.forest import forest_of_all
from core.charts.theme import Mode
from core.compare import compare
from core.composite.measured import composites
from core.composite.results import CompositeResult
from core.feedback import Feedback, feedback_rows, read_feedback
from core.feedback.log import EARLIER_NAME, FILE_NAME
from core.pareto import FrontCertainty, front_certainty, resampled_times
from core.ratings.analysis.results import HumanPreference
from core.report.document import Report, Wishes
from core.report.gather import gather
from core.results import Comparison, MetricRow
from core.slices import SliceTable, slice_table
from core.store import Run
from dashboard import cache

_ENTRIES = 32


def slices_of(run: Run, reference: str, part: str | None, more: tuple[str, ...] = ()) -> SliceTable:
    """Return where the variants differ most.

    Args:
        run: which run.
        reference: a variant's name.
        part: the slice that is looked at; slices of it are then tried. None is all examples.
        more: keys of metrics that are tried beside the primary ones.
    """
    return _slices_of(str(run.folder), cache.evidence_state(run), reference, part, more)


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Trying every slice")
def _slices_of(
    folder: str, state: tuple[int, int], reference: str, part: str | None, more: tuple[str, ...]
) -> SliceTable:
    reader = cache.statistics_reader(Run(Path(folder)))
    where = cache.inside_of(reader.run, part)
    return slice_table(reader.run, reference, more=more, where=where, reader=reader)


def front(
    run: Run, row: MetricRow, costs: tuple[tuple[str, float], ...], figure: str | None, part: str | None
) -> FrontCertainty | None:
    """Return how surely each variant is on the Pareto front of a metric against a cost.

    Args:
        run: which run.
        row: the metric.
        costs: variants and what they cost.
        figure: of the probe, where the cost is a time that is resampled over its repeats; of ``tokens_per_second`` it is
            the milliseconds a token. None takes the costs as they are.
        part: a slice; None is all examples.
    """
    return _front(str(run.folder), cache.evidence_state(run), row.key, costs, figure, part, row)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _front(
    folder: str, state: tuple[int, int], key: str, costs: tuple[tuple[str, float], ...], figure: str | None, part: str | None,
    _row: MetricRow,
) -> FrontCertainty | None:  # fmt: skip
    reader = cache.statistics_reader(Run(Path(folder)))
    drawn = (
        {} if figure is None else resampled_times(reader.run.read_json("probe"), figure, reader.run.spec.settings.seed)
    )
    if figure == "tokens_per_second":
        drawn = {name: 1000 / speed for name, speed in drawn.items()}
    prices = {name: drawn.get(name, cost) for name, cost in costs}
    return front_certainty(reader, _row, prices, cache.inside_of(reader.run, part))


def composites_of(run: Run, reference: str, part: str | None) -> tuple[CompositeResult, ...]:
    """Return the composites that the run declares, over a slice or all examples."""
    return _composites_of(str(run.folder), cache.evidence_state(run), reference, part)


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Weighing")
def _composites_of(
    folder: str, state: tuple[int, int], reference: str, part: str | None
) -> tuple[CompositeResult, ...]:
    reader = cache.statistics_reader(Run(Path(folder)))
    where = cache.inside_of(reader.run, part)
    return composites(reader.run, reference, where=where, reader=reader)


def differences_figure(run: Run, part: str | None, comparison: Comparison, mode: Mode) -> go.Figure:
    """Return the picture of all differences of a comparison; drawing dozens of panels takes longer than all else of a page.

    Args:
        run: of the comparison.
        part: the slice that it is over; None is all examples.
        comparison: with the rows to draw alone.
        mode: light or dark.
    """
    keys = tuple(row.key for row in comparison.rows)
    state = (cache.evidence_state(run), _written(run))
    return _differences_figure(str(run.folder), state, comparison.reference, part, keys, mode, comparison)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _differences_figure(
    folder: str,
    state: Hashable,
    reference: str,
    part: str | None,
    keys: tuple[str, ...],
    mode: Mode,
    _drawn: Comparison,
) -> go.Figure:
    return forest_of_all(_drawn, mode)


def feedback(run: Run) -> Feedback:
    """Return the thumbs and notes that a run's outputs were given, as they are on disk now."""
    return _feedback(str(run.folder), _written(run))


def satisfaction(run: Run, reference: str, part: str | None) -> tuple[MetricRow, ...]:
    """Return a row of satisfaction for each task with thumbs, over a slice or all examples; without any there is none."""
    written = _written(run)
    return _satisfaction(str(run.folder), cache.evidence_state(run), written, reference, part) if any(written) else ()


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _feedback(folder: str, written: tuple[int, ...]) -> Feedback:
    return read_feedback(Run(Path(folder)))


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _satisfaction(
    folder: str, state: tuple[int, int], written: tuple[int, ...], reference: str, part: str | None
) -> tuple[MetricRow, ...]:
    run = Run(Path(folder))
    return feedback_rows(run, reference, where=cache.inside_of(run, part))


def report(run: Run, reference: str, variant: str | None, people: tuple[HumanPreference, ...] = ()) -> Report:
    """Return everything that a report of a run can say, all sections, without its author's words.

    Args:
        run: which run.
        reference: a variant's name.
        variant: whose examples it has; None is the best.
        people: what people said of the run's variants, in every study of it.
    """
    return _report(str(run.folder), (cache.evidence_state(run), _written(run)), reference, variant, people)


@st.cache_resource(max_entries=4, show_spinner="Gathering the report")
def _report(
    folder: str, state: Hashable, reference: str, variant: str | None, people: tuple[HumanPreference, ...]
) -> Report:
    run = Run(Path(folder))
    return gather(run, reference, Wishes(variant=variant), comparison=compare(run, reference), people=people)


def _written(run: Run) -> tuple[int, ...]:
    """Return size and time (ns) of the files with what users said, zeros where there is none."""
    facts: list[int] = []
    for name in (FILE_NAME, EARLIER_NAME):
        try:
            found = (run.folder / name).stat()
        except FileNotFoundError:
            facts += [0, 0]
        else:
            facts += [found.st_size, found.st_mtime_ns]
    return tuple(facts)
