"""The prompts of a plan on which an adapter is checked and speed is measured."""

from __future__ import annotations

from itertools import accumulate

from core.plan import Plan
from core.requests import GenerateRequest, ScoreRequest
from core.spec import RunSpec


def some_prompts(plan: Plan, spec: RunSpec, count: int, *, tokens: int | None = None) -> list[tuple[int, ...]]:
    """Return prompts of middling length, evenly spread; of generation where there is any, none perturbed.

    Args:
        plan: What is asked.
        spec: Which of its tasks are perturbed.
        count: The most prompts.
        tokens: The most of them all together; short prompts are taken then, and one whatever its length.
    """
    clean = spec.clean_tasks
    asked = (r for part in plan.parts for batch in part.batches for r in batch.requests if r.task in clean)
    requests = [r for r in asked if isinstance(r, ScoreRequest | GenerateRequest)]
    generating = [r.prompt for r in requests if isinstance(r, GenerateRequest)]
    prompts = sorted(set(generating or [r.prompt for r in requests]), key=lambda prompt: (len(prompt), prompt))
    quarter = len(prompts) // 4
    middling = slice(quarter, max(quarter + 1, len(prompts) * 3 // 4))
    chosen = prompts[middling if tokens is None else slice(max(count, quarter))]
    step = max(1, len(chosen) // count)
    some = chosen[::step][:count]
    if tokens is None:
        return some
    ends = list(accumulate(map(len, some)))
    return [prompt for k, prompt in enumerate(some) if k == 0 or ends[k] <= tokens]
