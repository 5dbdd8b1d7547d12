"""Options that a model cannot tell apart, or can tell apart only to one side, by their tokens."""

from __future__ import annotations

from collections.abc import Iterator

from core.plan import Plan
from core.requests import Continuation, ScoreRequest
from core.spec import RunSpec


def option_sentences(plan: Plan, spec: RunSpec) -> Iterator[str]:
    """Yield a sentence for each task with options of equal tokens, or of which one is only the beginning of another.

    With a chat template every option ends with the end of the turn, so that none is the beginning of another. Without one an
    option that begins another is at least as likely: the longer can never be chosen.
    """
    seen: set[tuple[str, tuple[str, ...]]] = set()
    told: set[str] = set()
    for batch in (batch for part in plan.parts for batch in part.batches):
        for request in batch.requests:
            if not isinstance(request, ScoreRequest) or request.kind != "options" or request.task in told:
                continue
            texts = tuple(one.text for one in request.continuations)
            if (request.task, texts) in seen:
                continue
            seen.add((request.task, texts))
            if (clash := _clash(request.continuations)) and spec.tasks[request.task].perturbation is None:
                told.add(request.task)
                yield f"{request.task}: {_sentence(request, *clash)}"


def _sentence(request: ScoreRequest, shorter: Continuation, longer: Continuation) -> str:
    if shorter.ids == longer.ids:
        return (
            f"the options {shorter.text!r} and {longer.text!r} are the same tokens (first in example {request.example_id}), and so "
            "equally likely always."
        )
    return (
        f"the option {shorter.text!r} is the beginning of {longer.text!r} (first in example {request.example_id}), and without a chat "
        "template no token ends it: the longer one can never be likelier. Reword one of them, or use the chat template."
    )


def _clash(options: tuple[Continuation, ...]) -> tuple[Continuation, Continuation] | None:
    """Return the first two options of which one's tokens begin with the other's, the shorter first."""
    ordered = sorted(options, key=lambda one: one.ids)
    # In the order of their tokens an option stands right before the first one that it begins.
    for one, following in zip(ordered, ordered[1:], strict=False):
        if following.ids[: len(one.ids)] == one.ids:
            return one, following
    return None
