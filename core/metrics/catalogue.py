"""What there is to choose from: every metric in plain words, for the command line and the documentation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.metrics.metric import Metric
from core.metrics.registry import all_metrics

TESTS = {
    "rate": "Wilson; differences by McNemar's mid-p and Tango",
    "mean": "bootstrap; differences by sign-flip",
    "corpus": "bootstrap; differences by swap test",
}
"""How the uncertainty of a metric is found, by `Metric.test`."""
FAMILIES = (
    "classification", "medical", "multilabel", "regression", "ranking", "generation", "likelihood", "finance", "vision",
)  # fmt: skip
"""The order in which families are listed; one that is not named here comes last."""
SHARES = (
    "Wilson; differences by Tango and McNemar's mid-p, or by bootstrap and swap test where each counts other examples"
)
BLOCKS = "stationary block bootstrap; differences by swapping blocks"


@dataclass(frozen=True)
class Entry:
    """One metric as a reader meets it."""

    name: str
    label: str
    family: str
    kinds: tuple[str, ...]
    """The kinds of task that it applies to, sorted."""
    direction: str
    """``higher``, ``lower`` or ``none``: what is better."""
    unit: str
    lowest: float | None
    """None where there is no limit; as ``highest``."""
    highest: float | None
    definition: str
    uncertainty: str
    caution: str


def entries(kind: str | None = None) -> tuple[Entry, ...]:
    """Return every metric, those of one kind of task where ``kind`` is given, family by family."""
    found = [_entry(metric) for metric in all_metrics().values() if kind is None or kind in metric.kinds]
    order = dict.fromkeys((*FAMILIES, *(entry.family for entry in found)))
    place = {family: position for position, family in enumerate(order)}
    return tuple(sorted(found, key=lambda entry: place[entry.family]))


def by_family(listed: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Return entries by family, both in their order."""
    found: dict[str, list[Entry]] = {}
    for entry in listed:
        found.setdefault(entry.family, []).append(entry)
    return found


def _entry(metric: Metric) -> Entry:
    lowest, highest = metric.bounds
    return Entry(
        name=metric.name,
        label=metric.label,
        family=metric.family,
        kinds=tuple(sorted(metric.kinds)),
        direction="none" if metric.direction_free else "higher" if metric.higher_is_better else "lower",
        unit=metric.unit,
        lowest=lowest,
        highest=highest,
        definition=metric.definition or _first_sentence(inspect.getdoc(type(metric)) or metric.label),
        uncertainty=_uncertainty(metric),
        caution=metric.caution,
    )


def _uncertainty(metric: Metric) -> str:
    if metric.resampling == "none":
        return f"no interval: {metric.no_interval}"
    if metric.resampling == "blocks":
        return BLOCKS
    return SHARES if metric.proportion else TESTS[metric.test]


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=[^A-Z][.!])\s+(?=[A-Z])", paragraph)[0].rstrip(".").replace("``", "`")
