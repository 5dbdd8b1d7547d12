"""Forgetting: what a variant lost on general text, beside what it gained in its domain; read from the comparison's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from core.results import Comparison, Difference, MetricRow, Verdict
from core.spec import RunSpec
from core.store import Run

PERPLEXITY, BITS, TOKENS = "perplexity", "bits_per_byte", "token_accuracy"
GENERAL_METRICS = (BITS, PERPLEXITY, TOKENS)
"""What is read of the general task, the one that gives the verdict first."""


@dataclass(frozen=True)
class PerplexityRatio:
    """A variant's perplexity on the general text divided by the reference's: above 1 it finds general text less likely."""

    ratio: float
    low: float | None
    high: float | None
    """The interval is that of bits per byte, bytes a token held fixed; None where that was not computed."""


@dataclass(frozen=True)
class VariantForgetting:
    """One variant against the reference."""

    variant: str
    verdict: Verdict
    """On the general text: ``worse`` has forgotten, ``better`` finds it likelier than before; of the first of bits per byte,
    perplexity, token accuracy that was computed."""
    ratio: PerplexityRatio | None
    perplexity: Difference | None
    bits_per_byte: Difference | None
    token_accuracy: Difference | None
    domain: dict[str, Difference]
    """The differences of the domain task's primary metrics, by `MetricRow.key`."""


@dataclass(frozen=True)
class ForgettingReport:
    """All variants but the reference, in workspace order."""

    reference: str
    general: str
    """The task of general text."""
    domain: str
    """The task that fine-tuning was for."""
    variants: tuple[VariantForgetting, ...]
    general_rows: tuple[MetricRow, ...]
    """Of bits per byte, perplexity, token accuracy: those that were computed, in this order."""
    domain_rows: tuple[MetricRow, ...]
    """The domain task's primary metrics."""
    level: float
    reason: str | None = None
    """Why there is nothing to show (a task was not part of this run); then there are no variants."""


def forgetting(run: Run, comparison: Comparison) -> ForgettingReport | None:
    """Return what each variant lost on general text and gained in its domain; None where the run declares no such tasks.

    Args:
        run: of the comparison; its spec says which tasks (workspace key ``forgetting``).
        comparison: of all examples or a slice; nothing is computed again.
    """
    asked = run.spec.forgetting
    if asked is None:
        return None
    whole = [row for row in comparison.rows if not row.is_detail]
    by_name = {row.metric: row for row in whole if row.task == asked.general}
    general = tuple(by_name[name] for name in GENERAL_METRICS if name in by_name)
    domain = tuple(row for row in whole if row.task == asked.domain and row.primary)
    reason = _why_nothing(run.spec, asked.general, asked.domain, general, domain)
    variants = [name for name in comparison.variants if name != comparison.reference] if reason is None else []
    return ForgettingReport(
        reference=comparison.reference,
        general=asked.general,
        domain=asked.domain,
        variants=tuple(_of_variant(name, comparison.reference, general, domain) for name in variants),
        general_rows=general,
        domain_rows=domain,
        level=comparison.level,
        reason=reason,
    )


def _why_nothing(
    spec: RunSpec, general: str, domain: str, general_rows: Sequence[MetricRow], domain_rows: Sequence[MetricRow]
) -> str | None:
    if absent := [name for name in (general, domain) if name not in spec.clean_tasks]:
        return f"the task {absent[0]} is not part of this run"
    if not general_rows:
        return f"the task {general} computes none of {', '.join(GENERAL_METRICS)}"
    return None if domain_rows else f"the task {domain} has no primary metric"


def _of_variant(
    name: str, reference: str, general: Sequence[MetricRow], domain: Sequence[MetricRow]
) -> VariantForgetting:
    found = {row.metric: row.differences[name] for row in general}
    rows = {row.metric: row for row in general}
    return VariantForgetting(
        variant=name,
        verdict=found[general[0].metric].verdict,
        ratio=_ratio(rows, name, reference),
        perplexity=found.get(PERPLEXITY),
        bits_per_byte=found.get(BITS),
        token_accuracy=found.get(TOKENS),
        domain={row.key: row.differences[name] for row in domain},
    )


def _ratio(rows: dict[str, MetricRow], name: str, reference: str) -> PerplexityRatio | None:
    """Return the ratio of perplexities; None where the two are not over the same examples.

    Both are exp(nats / tokens) of the same tokens, so that the logarithm of their ratio is the difference in bits per byte
    times ln 2 times bytes a token; the reference's own two values say how many these are.
    """
    perplexity, bits = rows.get(PERPLEXITY), rows.get(BITS)
    if perplexity is None or not _same_examples(perplexity, name, reference):
        return None
    mine, base = perplexity.values[name].value, perplexity.values[reference].value
    if mine is None or base is None:
        return None
    a_byte = None if bits is None else bits.values[reference].value
    if bits is None or not a_byte or not _same_examples(bits, name, reference):
        return PerplexityRatio(mine / base, None, None)
    nats_a_bit, gap = log(base) / a_byte, bits.differences[name]
    low, high = (None if bound is None else exp(nats_a_bit * bound) for bound in (gap.low, gap.high))
    return PerplexityRatio(mine / base, low, high)


def _same_examples(row: MetricRow, name: str, reference: str) -> bool:
    n = row.differences[name].n
    return row.differences[name].difference is not None and row.values[name].n == row.values[reference].n == n
