"""The prompts of a plan on which an adapter is checked and speed is measured."""

from __future__ import annotations

from core.plan import Plan
from core.requests import GenerateRequest, ScoreRequest
from core.spec import RunSpec


def some_prompts(plan: Plan, spec: RunSpec, count: int, *, short: bool = False) -> list[tuple[int, ...]]:
    """Return prompts of middling length (or short ones), evenly spread; of generation where there is any, none perturbed."""
    clean = spec.clean_tasks
    asked = (r for part in plan.parts for batch in part.batches for r in batch.requests if r.task in clean)
    requests = [r for r in asked if isinstance(r, ScoreRequest | GenerateRequest)]
    generating = [r.prompt for r in requests if isinstance(r, GenerateRequest)]
    prompts = sorted(set(generating or [r.prompt for r in requests]), key=lambda prompt: (len(prompt), prompt))
    quarter = len(prompts) // 4
    chosen = prompts[: max(count, quarter)] if short else prompts[quarter : max(quarter + 1, len(prompts) * 3 // 4)]
    step = max(1, len(chosen) // count)
    return chosen[::step][:count]
