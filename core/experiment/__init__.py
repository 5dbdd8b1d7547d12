"""Ablations by experiment: an adapter's parts, strengths, ranks and mixtures as variants of one run. No torch, no page."""

from core.experiment.listing import Estimate, ablations_of, estimate_ablation, left_out, parts_off
from core.experiment.prepare import AblationChoice, plan_ablation, prepare_ablation

__all__ = [
    "AblationChoice",
    "Estimate",
    "ablations_of",
    "estimate_ablation",
    "left_out",
    "parts_off",
    "plan_ablation",
    "prepare_ablation",
]
