"""One sentence an adapter that a person can repeat: better on how many metrics, worse on how many, at what cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from core.compare import Headline
from core.notation import MARKS, MEANINGS, metric_name, size_text
from core.results import Comparison, MetricRow
from dashboard.parts.linked_html import link

_FIXED_SPACE = "\u00a0"
ORDER = "Sorted by metrics better minus metrics worse; ties go to the cheaper."


@dataclass(frozen=True)
class Card:
    """What a card says."""

    variant: str
    headline: Headline
    rows: tuple[MetricRow, ...]
    """The metrics that are counted."""
    time_ratio: float | None
    """Seconds a token over the reference's."""
    adapter_bytes: int | None
    warnings: tuple[str, ...]
    """What the pre-flight says of it."""

    @property
    def n(self) -> tuple[int, int] | None:
        """The fewest and the most pairs that a metric has."""
        counts = [row.differences[self.variant].n for row in self.rows if self.variant in row.differences]
        known = [count for count in counts if count]
        return (min(known), max(known)) if known else None


def in_order(cards: Sequence[Card]) -> list[Card]:
    """Return cards as `ORDER` says."""

    def key(card: Card) -> tuple[float, float, float]:
        return (
            card.headline.worse - card.headline.better,
            card.time_ratio if card.time_ratio is not None else 1.0,
            card.adapter_bytes or 0,
        )

    return sorted(cards, key=key)


def counted_rows(comparison: Comparison) -> tuple[MetricRow, ...]:
    """Return the metrics that a headline counts: the primary ones, over all languages."""
    return tuple(row for row in comparison.rows if row.primary and row.language is None)


def verdict_sentence(card: Card, reference: str) -> str:
    """Return how a variant did: ``is better than the baseline on 5 of 7 metrics, worse on 1 (n = 160).``."""
    found = card.headline
    against = "the baseline" if reference == "baseline" else reference
    n = "" if card.n is None else f"{card.n[0]}" if card.n[0] == card.n[1] else f"{card.n[0]} to {card.n[1]}"
    n = f" (n = {n})".replace(" ", _FIXED_SPACE).replace(_FIXED_SPACE, " ", 1) if n else ""
    metrics = "1 metric" if found.of == 1 else f"{found.of} metrics"
    if not found.of:
        return "has no metric to be compared on."
    without = sum(
        row.differences[card.variant].verdict == "none" for row in card.rows if card.variant in row.differences
    )
    told = found.unclear - without
    if not found.better and not found.worse and not found.same:
        if not told:
            return f"has no value yet on any of {metrics}."
        if without:
            return f"cannot be told from {against} on {told} of {metrics}; {without} without a value{n}."
        return f"cannot be told from {against} on any of {metrics}{n}."
    parts = [f"better than {against} on {found.better} of {metrics}" if found.better else ""]
    if found.worse:
        parts.append(
            f"worse on {found.worse}" if found.better else f"worse than {against} on {found.worse} of {metrics}"
        )
    if found.same:
        parts.append(
            f"the same on {found.same}" if any(parts) else f"the same as {against} on {found.same} of {metrics}"
        )
    said = ", ".join(part for part in parts if part)
    rest = [f"{told} cannot be told" if told else "", f"{without} without a value" if without else ""]
    return f"is {said}" + "".join(f"; {part}" for part in rest if part) + f"{n}."


def cost_sentence(card: Card, reference: str) -> str:
    """Return ``It costs 3 % more time and 0.92 MB.``; nothing where no cost was measured."""
    against = "the baseline" if reference == "baseline" else reference
    parts = []
    if card.time_ratio is not None:
        change = 100 * (card.time_ratio - 1)
        if abs(change) < 0.5:
            parts.append(f"as much time a token as {against}")
        else:
            parts.append(f"{abs(change):.0f}{_FIXED_SPACE}% {'more' if change > 0 else 'less'} time a token")
    if card.adapter_bytes:
        parts.append(f"{size_text(card.adapter_bytes)} of weights")
    return f"It costs {' and '.join(parts)}." if parts else ""


def card_html(card: Card, reference: str, colour: str, parameters: Mapping[str, str]) -> str:
    """Return a card as escaped HTML: a link to Compare with this variant chosen."""
    marks = []
    for row in card.rows:
        verdict = row.differences[card.variant].verdict if card.variant in row.differences else "none"
        tip = escape(f"{metric_name(row)}: {MEANINGS[verdict]}", quote=True)
        marks.append(f'<i class="{verdict}" title="{tip}">{MARKS[verdict]}</i>')
    warnings = "".join(f'<div class="warn">Pre-flight: {escape(warning)}</div>' for warning in card.warnings)
    cost = cost_sentence(card, reference)
    return (
        f'<a href="{link("compare", parameters)}"><div class="card" style="--variant: {colour}">'
        f"<p><b>{escape(card.variant)}</b> {escape(verdict_sentence(card, reference))}"
        f"{f' <span class=muted>{escape(cost)}</span>' if cost else ''}</p>"
        f'<span class="strip">{"".join(marks)}</span>{warnings}</div></a>'
    )
