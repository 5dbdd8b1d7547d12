"""Does each adapter do what it should, before any number is made? What only the loaded model can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from core.adapters import Finding
from core.engine.models import Models
from core.engine.score import score_rows
from core.records import BASELINE
from core.requests import ScoreRequest

PROMPTS = 4
TREE_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.5, torch.float16: 0.1}
"""Nats a token by which scores in a tree may differ from scores in rows of their own, by precision."""


def mean_divergence(models: Models, variant: str, prompts: Sequence[tuple[int, ...]]) -> float:
    """Return how far a variant's next-token distribution is from the baseline's: mean KL(variant || baseline) in nats.

    Taken after each of the prompts; 0 says that the variant changes nothing there.
    """
    theirs = _next_token_logprobs(models, variant, prompts)
    ours = _next_token_logprobs(models, BASELINE, prompts)
    return float((theirs.exp() * (theirs - ours)).sum(-1).mean())


@torch.inference_mode()
def _next_token_logprobs(models: Models, variant: str, prompts: Sequence[tuple[int, ...]]) -> torch.Tensor:
    with models.variant(variant) as model:
        rows = [
            model(input_ids=torch.tensor([prompt], device=models.device), logits_to_keep=1).logits[0, -1].double().cpu()
            for prompt in prompts
        ]
    return torch.log_softmax(torch.stack(rows), dim=-1)


def check_loaded(models: Models, variant: str, divergence: float) -> list[Finding]:
    """Return what the loaded model says of an adapter: every tensor in its place, and a distribution that moved."""
    findings = []
    if lost := models.keys_not_loaded(variant):
        findings.append(
            Finding(
                "error", "keys_not_loaded",
                f"{len(lost)} of its tensors found no place in the base, such as {lost[0]}; it was made for another model.",
            )
        )  # fmt: skip
    else:
        findings.append(Finding("ok", "keys_loaded", "Every tensor found its place in the base."))
    if divergence != divergence:
        findings.append(Finding("error", "not_a_number", "It makes the model give NaN; its weights are broken."))
    elif divergence <= 0 and models.adapters[variant].scale != 0 and models.adapters[variant].part is None:
        findings.append(
            Finding("error", "no_effect", "It loaded but does nothing: next-token probabilities equal the base's.")
        )
    else:
        sentence = f"Next-token distribution differs from the base's: KL divergence {divergence:.3g} nats."
        findings.append(Finding("ok", "moves_distribution", sentence))
    return findings


def trees_agree(models: Models, request: ScoreRequest) -> bool:
    """Tell whether scoring in a tree gives this model's own scores, by scoring one request both ways."""
    with models.variant(BASELINE) as model:
        folded = score_rows(model, [[request]], models.device, trees=True)[0]
        apart = score_rows(model, [[request]], models.device, trees=False)[0]
    pairs = [(x, y) for a, b in zip(folded, apart, strict=True) for x, y in zip(a.logprobs, b.logprobs, strict=True)]
    return max(abs(x - y) for x, y in pairs) <= TREE_TOLERANCE[models.dtype]


def as_json(findings: Sequence[Finding], **numbers: Any) -> dict[str, Any]:
    """Return one variant's entry of preflight.json."""
    listed = [{"level": f.level, "code": f.code, "sentence": f.sentence} for f in findings]
    return {"ok": all(f.level != "error" for f in findings), "findings": listed} | numbers
