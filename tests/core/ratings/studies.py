"""Small runs and studies for the tests of human rating, and a clock that tests turn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.ratings import (
    Done,
    Rater,
    RatingItem,
    RatingStore,
    Receipt,
    Study,
    StudyPlan,
    create_study,
    next_item,
    submit,
)
from core.records import BASELINE, Example
from core.spec import TaskSpec
from core.store import Run
from tests.core import mini

VARIANTS = (BASELINE, "lora")


class Clock:
    """Goes on by a second each time it is looked at."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
        self.step = timedelta(seconds=1)

    def __call__(self) -> datetime:
        self.moment += self.step
        return self.moment

    def pass_minutes(self, minutes: float) -> None:
        self.moment += timedelta(minutes=minutes)


def write_run(
    folder: Path, n: int = 12, adapters: Sequence[str] = ("lora",), *, identical: Sequence[int] = (), said: Sequence[str] = (),
    **task: Any,
) -> Run:  # fmt: skip
    """A run of n examples; every output is different except in the examples numbered in ``identical``.

    ``said``: what the first adapter answered to the first examples.
    """
    spec: TaskSpec = mini.task("generation", **({"prompt": "Say {text}", "system": "Be kind."} | task))
    examples = [
        Example("reply", f"e{number:03d}", "<prompt>", {"text": f"thing {number}"}, f"reference {number}",
                tags=(f"topic={'abc'[number % 3]}",), language="de" if number % 4 == 0 else "en", group=f"g{number // 2}")
        for number in range(n)
    ]  # fmt: skip
    evidence = [
        mini.said(
            "reply",
            variant,
            number,
            said[number]
            if way == 1 and number < len(said)
            else "same"
            if number in identical
            else f"answer {number} in way {way}",
        )
        for number in range(n)
        for way, variant in enumerate((BASELINE, *adapters))
    ]
    return mini.write(folder, mini.spec({"reply": spec}, adapters), examples, evidence)


def plan(**more: Any) -> StudyPlan:
    return StudyPlan(**({"title": "Replies", "mode": "pair", "repeat_share": 0.0, "practice": 0} | more))


def make_study(
    store: RatingStore, folder: Path, *, n: int = 12, adapters: Sequence[str] = ("lora",), **more: Any
) -> Study:
    run_more = {name: more.pop(name) for name in ("identical",) if name in more}
    return create_study(store, [write_run(folder / "run", n, adapters, **run_more)], plan(**more)).study


def answer(study: Study, rater: Rater, item: RatingItem, value: Any = None) -> Receipt:
    ready = {"pair": 0 if study.plan.graded else "left", "score": 3, "rank": list(range(1, len(item.outputs) + 1))}
    given = ready[study.plan.mode] if value is None else value
    return submit(study, rater, item, {criterion.name: given for criterion in study.plan.asked_criteria})


def rate_all(study: Study, rater: Rater, most: int = 1000, value: Any = None) -> list[RatingItem]:
    """Rate until nothing is left, or so many; return what was shown."""
    seen: list[RatingItem] = []
    while len(seen) < most and isinstance(item := next_item(study, rater), RatingItem):
        assert answer(study, rater, item, value).outcome == "stored"
        seen.append(item)
    return seen


def shown(study: Study, rater: Rater) -> RatingItem:
    item = next_item(study, rater)
    assert not isinstance(item, Done), item
    return item
