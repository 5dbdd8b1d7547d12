"""Which examples stand behind a number: outcome classes, filters, order and pages over the per-example scores of a task.

Works on whole columns, so that 100,000 examples are filtered and sorted in milliseconds; the texts themselves stay on disk
(see `core.example_texts`). Positions are places in `ExampleTable.ids`, which is the order of the dataset.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from core.metrics.metric import Metric, Unit

Outcome = Literal["fixed", "broken", "both right", "both wrong", "gained", "lost", "unchanged", "no value"]
Sort = Literal["change", "gain", "loss", "dataset"]
RATE_OUTCOMES: tuple[Outcome, ...] = ("fixed", "broken", "both right", "both wrong", "no value")
GRADED_OUTCOMES: tuple[Outcome, ...] = ("gained", "lost", "unchanged", "no value")
PAGE_SIZE = 50
_CHANGED_BEYOND: dict[Unit, float] = {"share": 0.05, "points": 5.0}
"""Five points on the metrics that have a scale of 100."""
_SHARE_OF_SPREAD = 0.1
_SCALES: dict[Unit, tuple[float, float]] = {"share": (0.0, 1.0), "points": (0.0, 100.0)}


@dataclass(frozen=True)
class Measure:
    """What the examples of a task are judged by."""

    name: str
    label: str
    unit: Unit
    higher_is_better: bool
    rate: bool
    """Right or wrong, rather than more or less."""
    threshold: float
    """Graded measures: an example counts as gained or lost if it moved by more than this. 0 for rates."""
    threshold_source: str
    """Where the threshold is from, as a phrase: ``the task's equivalence band``."""
    low: float
    high: float
    """The ends of the scale on which single scores are drawn; `drawn` places a score on it."""

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The classes that examples fall into, in the order they are shown."""
        return RATE_OUTCOMES if self.rate else GRADED_OUTCOMES

    def drawn(self, score: float) -> float | None:
        """Return the length of a score's bar, 0 to 1; None for a score without value."""
        if not np.isfinite(score):
            return None
        return float(np.clip((score - self.low) / (self.high - self.low), 0.0, 1.0))


def measure_of(metric: Metric, scores: pd.DataFrame, band: float | None = None) -> Measure:
    """Return how a metric judges single examples.

    Args:
        metric: the metric.
        scores: its value for each example (index) and variant (columns); decides the threshold of unbounded metrics.
        band: the equivalence band that the task declares for it, in the metric's unit.
    """
    if metric.test == "rate":
        threshold, source = 0.0, ""
    elif band is not None:
        threshold, source = band, "the task's equivalence band"
    elif metric.unit in _CHANGED_BEYOND:
        threshold, source = _CHANGED_BEYOND[metric.unit], "five points"
    else:
        threshold, source = _SHARE_OF_SPREAD * _spread(scores), "a tenth of the scores' interquartile range"
    low, high = _SCALES.get(metric.unit) or _ends(scores)
    return Measure(
        metric.name, metric.label, metric.unit, metric.higher_is_better, metric.test == "rate", threshold, source, low, high
    )  # fmt: skip


def _finite(scores: pd.DataFrame) -> np.ndarray:
    values = scores.to_numpy(dtype=np.float64).ravel()
    return values[np.isfinite(values)]


def _spread(scores: pd.DataFrame) -> float:
    """Return the interquartile range of all finite scores; 0 without any."""
    values = _finite(scores)
    return float(np.subtract(*np.percentile(values, [75, 25]))) if values.size else 0.0


def _ends(scores: pd.DataFrame) -> tuple[float, float]:
    """Return the scale of an unbounded score: from 0 (or the lowest, if negative) to the 98th percentile."""
    values = _finite(scores)
    if not values.size:
        return 0.0, 1.0
    low, high = min(0.0, float(values.min())), max(0.0, float(np.percentile(values, 98)))
    return (low, high) if high > low else (low, low + 1.0)


@dataclass(frozen=True)
class ExampleTable:
    """The columns by which the examples of one task are found. Every array has one entry an example (length n)."""

    task: str
    ids: pd.Index
    tag_names: tuple[str, ...]
    """``field=value``, sorted."""
    tag_of: np.ndarray
    """int32 (m,): one entry for each tag that an example has, its place in ``tag_names``."""
    tag_at: np.ndarray
    """int64 (m,): whose tag it is, a position."""

    @cached_property
    def tag_counts(self) -> dict[str, int]:
        """How many examples have each tag."""
        counts = np.bincount(self.tag_of, minlength=len(self.tag_names))
        return dict(zip(self.tag_names, counts.tolist(), strict=True))

    def with_tags(self, tags: Sequence[str]) -> np.ndarray:
        """Return bool (n,): examples with all fields asked for; several values of one field mean any of them."""
        mask = np.ones(len(self.ids), dtype=bool)
        wanted: dict[str, list[int]] = {}
        place = {name: number for number, name in enumerate(self.tag_names)}
        for tag in tags:
            wanted.setdefault(tag.partition("=")[0], []).append(place.get(tag, -1))
        for numbers in wanted.values():
            any_of = np.zeros(len(self.ids), dtype=bool)
            any_of[self.tag_at[np.isin(self.tag_of, numbers)]] = True
            mask &= any_of
        return mask

    def position(self, example_id: str | None) -> int | None:
        """Return where an example is; None if the task has no such example."""
        found = int(self.ids.get_indexer(pd.Index([example_id], dtype=object))[0])
        return None if found < 0 else found


def make_table(task: str, ids: Sequence[str], tags: Iterable[Sequence[str] | None]) -> ExampleTable:
    """Return the table of a task's examples from their ids and, in the same order, their tags."""
    listed = [tuple(of_one or ()) for of_one in tags]
    names = sorted({tag for of_one in listed for tag in of_one})
    place = {name: number for number, name in enumerate(names)}
    tag_of = np.fromiter((place[tag] for of_one in listed for tag in of_one), dtype=np.int32)
    tag_at = np.repeat(np.arange(len(listed)), [len(of_one) for of_one in listed]).astype(np.int64)
    return ExampleTable(task, pd.Index(list(ids), dtype=object), tuple(names), tag_of, tag_at)


@dataclass(frozen=True)
class Query:
    """What to show, in which order."""

    variant: str
    reference: str
    outcome: Outcome | None = None
    tags: tuple[str, ...] = ()
    part: str | None = None
    """The slice that everything is about, one tag; tags filter within it."""
    matching: frozenset[str] | None = None
    """Ids found by a text search; None is no search."""
    sort: Sort = "change"
    kept: np.ndarray | None = None
    """bool (n,): which examples any further filter keeps (a text feature's); None keeps all."""
    nearest: tuple[int, ...] | None = None
    """Positions to keep, in the order to list them, whatever ``sort`` says: those that are like one example; None keeps all."""


@dataclass(frozen=True)
class Selection:
    """What a query leaves."""

    positions: np.ndarray
    """int64, in the order asked for."""
    counts: dict[Outcome, int]
    """How many examples each outcome would leave, tags and search applied."""
    difference: np.ndarray
    """float64 (n,): variant minus reference of every example of the table; NaN where one has no value."""
    outcome: np.ndarray
    """object (n,): the class of every example of the table."""

    @property
    def n_pages(self) -> int:
        """How many pages of `PAGE_SIZE` there are, at least one."""
        return max(1, -(-len(self.positions) // PAGE_SIZE))

    def page(self, number: int) -> np.ndarray:
        """Return the positions on a page, counted from 1; a number outside is brought inside."""
        number = min(max(number, 1), self.n_pages)
        return self.positions[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]

    def rank(self, position: int | None) -> int | None:
        """Return the place of an example in the order, from 0; None if the filters leave it out."""
        if position is None:
            return None
        found = np.flatnonzero(self.positions == position)
        return int(found[0]) if len(found) else None

    def page_of(self, position: int | None) -> int | None:
        """Return the page on which an example is."""
        rank = self.rank(position)
        return None if rank is None else rank // PAGE_SIZE + 1

    def neighbour(self, position: int | None, step: int) -> int | None:
        """Return the example ``step`` places on; None beyond either end. From outside the order it begins at its ends."""
        rank = self.rank(position)
        target = (0 if step > 0 else len(self.positions) - 1) if rank is None else rank + step
        return int(self.positions[target]) if 0 <= target < len(self.positions) else None


def outcomes(scores: pd.DataFrame, variant: str, reference: str, measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """Return the difference, float64 (n,), and the outcome class, object (n,), of every example.

    A rate's example is right at 1. A graded example is gained or lost if it became better or worse by more than the
    measure's threshold.
    """
    ours = scores[variant].to_numpy(dtype=np.float64)
    theirs = scores[reference].to_numpy(dtype=np.float64)
    difference = ours - theirs
    if measure.rate:
        right, was_right = ours == 1.0, theirs == 1.0
        classes = np.select(
            [~np.isfinite(difference), right & ~was_right, ~right & was_right, right & was_right],
            ["no value", "fixed", "broken", "both right"], default="both wrong",
        )  # fmt: skip
    else:
        gain = difference if measure.higher_is_better else -difference
        # Rounding must not decide about an example that moved by exactly the threshold.
        beyond = measure.threshold * (1 + 1e-9) + 1e-12
        classes = np.select(
            [~np.isfinite(difference), gain > beyond, gain < -beyond],
            ["no value", "gained", "lost"],
            default="unchanged",
        )
    return difference, classes.astype(object)


def select(table: ExampleTable, scores: pd.DataFrame | None, measure: Measure | None, query: Query) -> Selection:
    """Filter and sort the examples of a task.

    Args:
        table: the examples.
        scores: rows as ``table.ids``, columns variants; NaN where there is no value. None for a task without metric: then
            no example has a value, and the order is the dataset's.
        measure: what they are judged by; None likewise.
        query: which to keep. Ties of the order keep the dataset's order; examples without a value come last.
    """
    if scores is None or measure is None:
        difference, classes = np.full(len(table.ids), np.nan), np.full(len(table.ids), "no value", dtype=object)
    else:
        difference, classes = outcomes(scores, query.variant, query.reference, measure)
    mask = table.with_tags(query.tags)
    if query.part is not None:
        mask &= table.with_tags([query.part])
    if query.matching is not None:
        mask &= table.ids.isin(list(query.matching))
    if query.kept is not None:
        mask &= query.kept
    if query.nearest is not None:
        mask &= np.isin(np.arange(len(mask)), query.nearest)
    counts: dict[Outcome, int] = {
        name: int(np.count_nonzero(mask & (classes == name))) for name in (measure.outcomes if measure else ())
    }
    if query.outcome is not None and measure is not None:
        mask &= classes == query.outcome
    if query.nearest is not None:
        listed = np.array([place for place in query.nearest if mask[place]], dtype=np.int64)
        return Selection(listed, counts, difference, classes)
    gain = -difference if measure is not None and not measure.higher_is_better else difference
    keys = {"change": -np.abs(gain), "gain": -gain, "loss": gain, "dataset": np.zeros(len(gain))}
    kept = np.flatnonzero(mask)
    order = np.argsort(keys[query.sort][kept], kind="stable")  # NaN sorts last
    return Selection(kept[order], counts, difference, classes)
