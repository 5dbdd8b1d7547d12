"""The card of an adapter: its verdict as a sentence, what it costs, a mark for each metric, and what the pre-flight says."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from core.notation import MARKS, MEANINGS, metric_name
from core.wording.verdicts import Card, cost_sentence, verdict_sentence
from dashboard.parts.linked_html import link


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
