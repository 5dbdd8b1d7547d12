"""Does each adapter do what it should, before any number is made? What only the loaded model can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from core.adapters import Finding
from core.data.prompt import PromptRenderer
from core.engine.generate import generate_rows
from core.engine.models import Models
from core.engine.score import score_rows
from core.engine.seq2seq import Stepper
from core.engine.states import encode_header
from core.engine.stream import Stream
from core.records import BASELINE
from core.requests import Continuation, GenerateRequest, ScoreRequest
from core.spec import Settings
from core.tree import Header

_ASKED_TOKENS = 24
TREE_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.5, torch.float16: 0.1}
"""Nats a token by which scores in a tree may differ from scores in rows of their own, by precision."""


def mean_divergence(
    models: Models, variant: str, prompts: Sequence[tuple[int, ...]], baseline: torch.Tensor | None = None
) -> float:
    """Return how far a variant's next-token distribution is from the baseline's: mean KL(variant || baseline) in nats.

    Taken after each of the prompts; 0 says that the variant changes nothing there. ``baseline`` is what
    `next_token_logprobs` gave for the baseline, where that is known already.
    """
    theirs = next_token_logprobs(models, variant, prompts)
    ours = next_token_logprobs(models, BASELINE, prompts) if baseline is None else baseline
    return float((theirs.exp() * (theirs - ours)).sum(-1).mean())


@torch.inference_mode()
def next_token_logprobs(models: Models, variant: str, prompts: Sequence[tuple[int, ...]]) -> torch.Tensor:
    """Return a variant's next-token log-probabilities after each prompt: prompts x vocabulary, float64, on the CPU."""
    with models.variant(variant) as model:
        rows = [_next_token_logits(models, model, prompt).double().cpu() for prompt in prompts]
    return torch.log_softmax(torch.stack(rows), dim=-1)


def _next_token_logits(models: Models, model: Any, prompt: tuple[int, ...]) -> torch.Tensor:
    if models.seq2seq:
        return Stepper(model, [prompt], models.device).logits()[0]
    return model(input_ids=torch.tensor([prompt], device=models.device), logits_to_keep=1).logits[0, -1]


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


@torch.inference_mode()
def sharing_agrees(models: Models, prompt: tuple[int, ...], renderer: PromptRenderer) -> bool:
    """Tell whether the baseline gives its own scores and answers where rows share tokens, by asking it one thing both ways.

    The prompt's first half is a header, its last tokens are scored beside others, and its answer is begun in a stream.
    """
    prompt = prompt[-_ASKED_TOKENS:]  # what an architecture does shows on a few tokens as well
    cut = max(1, len(prompt) - 4)
    head, told = prompt[:cut], prompt[cut:] or prompt[-1:]
    texts = [Continuation("", ids, (), 0) for ids in (told, (*told[:-1], prompt[0]), (prompt[0], *told))]
    request = ScoreRequest("", "", "", "options", head, tuple(texts))
    half = Header(prompt[: cut // 2], tuple(range(-1, cut // 2 - 1)))
    settings = Settings(max_new_tokens=3)
    asked = [GenerateRequest("", "", "", rest) for rest in (prompt, head)]
    given = {"stop_ids": frozenset[int](), "decode": renderer.decode}
    with models.variant(BASELINE) as model:
        states = encode_header(model, half, models.device) if len(half) else None
        folded = score_rows(model, [[request]], models.device, trees=True, states=states)[0]
        apart = score_rows(model, [[request]], models.device, trees=False)[0]
        stream = Stream(asked, settings, **given)
        stream.go(model, models.device, side_by_side=2, tokens=len(prompt), room=4 * len(prompt) + 200, states=states)
        alone = [generate_rows(model, [one], settings, models.device, **given)[0] for one in asked]
    pairs = [(x, y) for a, b in zip(folded, apart, strict=True) for x, y in zip(a.logprobs, b.logprobs, strict=True)]
    # The first token alone: where two are nearly as likely, rounding may choose the other, and all that follows differs.
    pairs += [(stream.found[k].token_logprobs[0], one.token_logprobs[0]) for k, one in enumerate(alone)]
    pairs += [
        (a, b)
        for k, one in enumerate(alone)
        if stream.found[k].token_ids == one.token_ids
        for a, b in zip(stream.found[k].token_logprobs, one.token_logprobs, strict=True)
    ]
    return max(abs(x - y) for x, y in pairs) <= TREE_TOLERANCE[models.dtype]


def as_json(findings: Sequence[Finding], **numbers: Any) -> dict[str, Any]:
    """Return one variant's entry of preflight.json."""
    listed = [{"level": f.level, "code": f.code, "sentence": f.sentence} for f in findings]
    return {"ok": all(f.level != "error" for f in findings), "findings": listed} | numbers
