"""Conditions under which a comparison counts as failed, for a pipeline that must stop where fine-tuning broke something.

    rouge_l < baseline              the variant's value is below another variant's
    f1_macro < 0.8                  below a number, in the metric's own unit (shares from 0 to 1, or with %)
    accuracy drops more than 0.01   variant minus reference, paired by example, is below -0.01
    mae rises more than 0.1         above +0.1
    chrf worsens more than 2        for the worse, whichever way that is
    bleu worsens                    worse by its adjusted p-value; "any worsens" is every primary metric
    accuracy does not improve       not better by its adjusted p-value

A metric is ``rouge_l``, ``reply/rouge_l`` where several tasks have it, or ``category/f1_per_class[billing]``. A condition whose
numbers are missing counts as fulfilled: what was not measured must not pass.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InputError, nearest
from core.metrics.metric import Unit
from core.metrics.registry import find_metric
from core.notation import UNIT_NAMES, difference_texts, in_shown_unit, metric_name, p_text, value_texts
from core.results import Comparison, Difference, MetricRow

FORMS = (
    '"rouge_l < baseline", "f1_macro < 0.8", "accuracy drops more than 0.01", "mae rises more than 0.1", "chrf worsens more than 2", '
    '"bleu worsens", "any worsens" or "accuracy does not improve"'
)
ANY = "any"
_METRIC = r"(?P<metric>[^\s\[<>]+(?:\[[^\]]*\])?)"
_AMOUNT = r"(?P<amount>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<scale>%|points?)?"
_FORMS = (
    re.compile(rf"{_METRIC}\s*(?P<sign><=|>=|<|>)\s*{_AMOUNT}"),
    re.compile(rf"{_METRIC}\s*(?P<sign><=|>=|<|>)\s*(?P<other>[A-Za-z0-9][\w.+-]*)"),
    re.compile(rf"{_METRIC}\s+(?P<change>drops|rises|worsens)(?:\s+by)?\s+more\s+than\s+{_AMOUNT}"),
    re.compile(rf"{_METRIC}\s+(?P<told>worsens|does\s+not\s+improve)"),
)


@dataclass(frozen=True)
class Condition:
    """One condition that was read."""

    text: str
    metric: str
    """As written; ``any`` is every primary metric."""
    sign: str | None = None
    """``<``, ``<=``, ``>`` or ``>=``: the value against ``amount`` or ``other``."""
    amount: float | None = None
    scale: str | None = None
    """``%`` or ``points``: hundredths of a share."""
    other: str | None = None
    """A variant."""
    change: str | None = None
    """``drops``, ``rises`` or ``worsens``: the difference against ``amount``."""
    told: str | None = None
    """``worsens`` or ``does not improve``: by the verdict."""


@dataclass(frozen=True)
class Outcome:
    """What became of one condition for one variant and metric."""

    condition: str
    variant: str
    metric: str
    """`MetricRow.key`."""
    failed: bool
    reason: str
    """What was found, as a sentence."""


def parse_condition(text: str) -> Condition:
    """Return a condition that was written in one of `FORMS`.

    Raises:
        InputError: it is written otherwise.
    """
    plain = text.strip()
    for form in _FORMS:
        if found := form.fullmatch(plain):
            parts = {name: value for name, value in found.groupdict().items() if value is not None}
            amount = float(parts.pop("amount")) if "amount" in parts else None
            if "told" in parts:
                parts["told"] = " ".join(parts["told"].split())
            made = Condition(plain, amount=amount, **parts)
            _check(made)
            return made
    raise InputError(f"--fail-if: found {text!r}; expected a condition such as {FORMS}.")


def check(comparison: Comparison, conditions: Sequence[Condition], variants: Sequence[str]) -> list[Outcome]:
    """Return what became of each condition, variant by variant.

    Args:
        comparison: of all examples.
        conditions: any of them being fulfilled is a failure.
        variants: which to look at; none is the reference.

    Raises:
        InputError: a condition names a metric or a variant that the comparison does not have, or several metrics at once.
    """
    outcomes = []
    for condition in conditions:
        rows = _rows(comparison, condition)
        if condition.other is not None and condition.other not in comparison.variants:
            known = ", ".join(comparison.variants)
            hint = nearest(condition.other, comparison.variants)
            raise InputError(
                f"--fail-if {condition.text!r}: no variant {condition.other!r}{hint}; expected a number, or one of {known}."
            )
        outcomes += [_outcome(comparison, condition, row, variant) for variant in variants for row in rows]
    return outcomes


def _check(condition: Condition) -> None:
    if condition.metric == ANY and condition.told is None:
        raise InputError(
            f'--fail-if {condition.text!r}: "{ANY}" has no unit; expected "{ANY} worsens" or "{ANY} does not improve", or one metric.'
        )
    if condition.change is not None and condition.amount is not None and condition.amount < 0:
        raise InputError(
            f"--fail-if {condition.text!r}: found {condition.amount:g}; expected how much as a number of at least 0."
        )


def _rows(comparison: Comparison, condition: Condition) -> list[MetricRow]:
    rows = [*comparison.rows, *comparison.efficiency, *comparison.feedback]
    if condition.metric == ANY:
        found = [row for row in rows if row.primary]
        if not found:
            raise InputError(f"--fail-if {condition.text!r}: the run has no primary metric; name a metric instead.")
        return found
    found = [row for row in rows if row.key == condition.metric]
    found = found or [row for row in rows if row.metric == condition.metric and not row.is_detail]
    if len(found) == 1:
        return found
    if found:
        listed = ", ".join(row.key for row in found)
        raise InputError(
            f"--fail-if {condition.text!r}: several tasks have {condition.metric!r}; expected one of {listed}."
        )
    parts = [row.key for row in rows if row.metric == condition.metric]
    known = parts or sorted({row.key for row in rows if not row.is_detail})
    hint = nearest(condition.metric, [*known, *(row.metric for row in rows)])
    raise InputError(
        f"--fail-if {condition.text!r}: the run has no metric {condition.metric!r}{hint}; expected one of {', '.join(known)}."
    )


def _outcome(comparison: Comparison, condition: Condition, row: MetricRow, variant: str) -> Outcome:
    if condition.sign is not None:
        failed, reason = _by_value(comparison, condition, row, variant)
    elif condition.change is not None:
        failed, reason = _by_difference(comparison, condition, row, variant)
    else:
        failed, reason = _by_verdict(comparison, condition, row, variant)
    return Outcome(condition.text, variant, row.key, failed, reason)


def _by_value(comparison: Comparison, condition: Condition, row: MetricRow, variant: str) -> tuple[bool, str]:
    value = row.values.get(variant)
    name = f"{metric_name(row)} of {variant}"
    if value is None or value.value is None:
        return True, f"{name} has no value: {value.reason if value else 'not measured'}."
    told = f"{name} is {_shown(' '.join(filter(None, value_texts(value, row.unit))), row.unit)}"
    if condition.other is None:
        limit = _limit(condition, row)
        return _holds(
            value.value, condition.sign, limit
        ), f"{told}; the condition is {condition.sign} {_limit_text(limit, row.unit)}."
    other = row.values.get(condition.other)
    if other is None or other.value is None:
        return (
            True,
            f"{metric_name(row)} of {condition.other} has no value: {other.reason if other else 'not measured'}.",
        )
    beside = " ".join(filter(None, value_texts(other, row.unit)))
    return _holds(
        value.value, condition.sign, other.value
    ), f"{told}; that of {condition.other} is {_shown(beside, row.unit)}."


def _by_difference(comparison: Comparison, condition: Condition, row: MetricRow, variant: str) -> tuple[bool, str]:
    found = row.differences.get(variant)
    if found is None or found.difference is None:
        return True, _nothing(comparison, row, variant, found)
    limit = _limit(condition, row)
    if condition.change == "worsens" and row.direction_free:
        raise InputError(
            f"--fail-if {condition.text!r}: of {row.label} neither more nor less is better; expected drops or rises."
        )
    falls = condition.change == "drops" or (condition.change == "worsens" and row.higher_is_better)
    change = -found.difference if falls else found.difference
    return change > limit, f"{_told(comparison, row, variant, found)}; allowed is {_limit_text(limit, row.unit, True)}."


def _by_verdict(comparison: Comparison, condition: Condition, row: MetricRow, variant: str) -> tuple[bool, str]:
    found = row.differences.get(variant)
    if found is None or found.difference is None:
        return True, _nothing(comparison, row, variant, found)
    if found.verdict == "none":
        raise InputError(
            f"--fail-if {condition.text!r}: {row.label} has no verdict ({found.reason}); expected a condition with a number."
        )
    failed = found.verdict == "worse" if condition.told == "worsens" else found.verdict != "better"
    p = f", {p_text(found.p_adjusted)} adjusted" if found.p_adjusted is not None else ""
    return (
        failed,
        f"{_told(comparison, row, variant, found)}: {found.verdict if found.verdict != 'unclear' else 'cannot be told'}{p}.",
    )


def _told(comparison: Comparison, row: MetricRow, variant: str, found: Difference) -> str:
    text = _shown(" ".join(filter(None, difference_texts(found, row.unit))), row.unit, True)
    return f"{metric_name(row)} of {variant} minus {comparison.reference}'s is {text}, n = {found.n:,}"


def _nothing(comparison: Comparison, row: MetricRow, variant: str, found: Difference | None) -> str:
    reason = "not measured" if found is None else found.reason or "not known why"
    return f"{metric_name(row)} of {variant} has no difference to {comparison.reference}: {reason}."


def _shown(text: str, unit: Unit, difference: bool = False) -> str:
    """Return a number with its unit as people read it."""
    name = UNIT_NAMES[unit]
    return f"{text} {'points' if name == '%' and difference else name}".rstrip()


def _limit_text(limit: float, unit: Unit, difference: bool = False) -> str:
    return _shown(f"{in_shown_unit(limit, unit):g}", unit, difference)


def _limit(condition: Condition, row: MetricRow) -> float:
    """Return the limit in the metric's own unit.

    Raises:
        InputError: it is written in a unit that the metric does not have, or beyond what a share can be, as one in per cent would.
    """
    amount = condition.amount if condition.amount is not None else math.nan
    if condition.scale is None or (row.unit == "points" and condition.scale.startswith("point")):
        metric = find_metric(row.metric)
        if row.unit == "share" and metric is not None and metric.bounds[1] == 1.0 and abs(amount) > 1:
            raise InputError(
                f"--fail-if {condition.text!r}: {row.label} is a share from 0 to 1; found {amount:g}, expected "
                f"{amount / 100:g} or {amount:g}%."
            )
        return amount
    if row.unit != "share":
        raise InputError(
            f"--fail-if {condition.text!r}: {row.label} is no share; expected a number without {condition.scale}."
        )
    return amount / 100


def _holds(value: float, sign: str | None, limit: float) -> bool:
    return {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[sign or "<"]
