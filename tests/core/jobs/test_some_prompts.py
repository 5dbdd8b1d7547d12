"""Which prompts an adapter is checked on: short ones, and no more tokens than a check may cost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from core.jobs.some_prompts import some_prompts
from core.requests import ScoreRequest


def plan_of(lengths: list[int]) -> Any:
    requests = [ScoreRequest("t", str(k), "", "options", (k,) * length, ()) for k, length in enumerate(lengths)]
    return SimpleNamespace(parts=[SimpleNamespace(batches=[SimpleNamespace(requests=requests)])])


SPEC: Any = SimpleNamespace(clean_tasks={"t"})


def chosen(lengths: list[int], count: int, tokens: int | None = None) -> list[int]:
    return [len(prompt) for prompt in some_prompts(plan_of(lengths), SPEC, count, tokens=tokens)]


def test_short_prompts_fill_what_they_may_cost() -> None:
    assert chosen([100, 30, 20, 10, 50], 4, tokens=256) == [10, 20, 30, 50]
    assert chosen([100, 30, 20, 10, 50], 4, tokens=60) == [10, 20, 30]
    assert chosen([300, 290, 280, 270], 4, tokens=256) == [270]
    assert chosen([], 4, tokens=256) == []


def test_without_a_cost_they_are_of_middling_length() -> None:
    assert chosen([1, 2, 3, 4, 5, 6, 7, 8], 2) == [3, 5]
