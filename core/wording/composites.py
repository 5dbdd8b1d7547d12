"""Composites in words: how far the first place depends on the weights."""

from __future__ import annotations

from core.composite.results import WeightDependence


def dependence_sentence(found: WeightDependence) -> str:
    """Return how far the first place depends on the weights, as a sentence."""
    near = found.around.get(found.first, 0.0)
    anywhere = found.anywhere.get(found.first, 0.0)
    text = (
        f"{found.first} is first, and stays so under {share_text(near)} of weightings near the declared ones and "
        f"{share_text(anywhere)} of all."
    )
    if found.change is None:
        return f"{text} No change of a single weight puts another variant first."
    change = found.change
    return f"{text} {change.first} is first once the weight of {change.key} goes from {change.declared:g} to {change.weight:.3g}."


def share_text(share: float) -> str:
    """Return a share as ``64 %``; what is neither none nor all does not read like it."""
    shown = min(max(100 * share, 0.1), 99.9) if 0 < share < 1 else 100 * share
    return f"{shown:.0f} %" if 1 <= shown <= 99 or shown in (0, 100) else f"{shown:.1f} %"
