"""One sentence a variant that a person can repeat: better on how many metrics, worse on how many, at what cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from core.compare import Headline, headline
from core.metrics.efficiency import Efficiency
from core.notation import size_text
from core.results import Comparison, MetricRow

_FIXED_SPACE = "\u00a0"
CardOrder = Literal["balance", "better", "worse", "time", "size", "workspace"]
ORDERS: dict[CardOrder, str] = {
    "balance": "metrics better minus metrics worse; ties go to the cheaper",
    "better": "most metrics better; ties go to those with fewer worse, then to the cheaper",
    "worse": "fewest metrics worse; ties go to those with more better, then to the cheaper",
    "time": "least time a token; those not timed last",
    "size": "fewest bytes of weights; those of unknown size last",
    "workspace": "the order of the workspace",
}
"""How cards can be sorted, each as a phrase; the first is the usual one."""


def card_order(name: str | None) -> CardOrder:
    """Return the order that a name means; the usual one where it means none."""
    return next((order for order in get_args(CardOrder) if order == name), "balance")


def order_sentence(order: CardOrder = "balance") -> str:
    """Return by what the cards are sorted, as a sentence."""
    return f"Sorted by {ORDERS[order]}."


ORDER = order_sentence()


@dataclass(frozen=True)
class Card:
    """What is said of a variant."""

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


def cards_of(
    comparison: Comparison, costs: Mapping[str, Efficiency], checked: Mapping[str, Mapping[str, Any]]
) -> list[Card]:
    """Return one card for each variant but the reference, in workspace order.

    Args:
        comparison: of a run.
        costs: what the run's probe measured, by variant; empty without one.
        checked: what its pre-flight found, by variant; likewise.
    """
    made = []
    for name in comparison.variants:
        if name == comparison.reference:
            continue
        ratio = costs[name].time_per_token_ratio if name in costs else None
        facts = checked.get(name, {})
        warnings = [found["sentence"] for found in facts.get("findings", ()) if found.get("level") != "ok"]
        made.append(Card(
            name, headline(comparison, name), counted_rows(comparison), ratio.value if ratio else None,
            facts.get("adapter_bytes"), tuple(warnings),
        ))  # fmt: skip
    return made


def in_order(cards: Sequence[Card], order: CardOrder = "balance") -> list[Card]:
    """Return cards as `ORDERS` says; what is still equal stays in the workspace's order."""

    def key(card: Card) -> tuple[float, ...]:
        better, worse = card.headline.better, card.headline.worse
        cheap = (card.time_ratio if card.time_ratio is not None else 1.0, float(card.adapter_bytes or 0))
        keys: dict[CardOrder, tuple[float, ...]] = {
            "balance": (worse - better, *cheap),
            "better": (-better, worse, *cheap),
            "worse": (worse, -better, *cheap),
            "time": (math.inf if card.time_ratio is None else card.time_ratio,),
            "size": (math.inf if card.adapter_bytes is None else card.adapter_bytes,),
            "workspace": (),
        }
        return keys[order]

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
