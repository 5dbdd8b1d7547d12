"""What a model is asked about one example, as tokens: prompts to answer, and continuations to score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core.data.prompt import Encoded, PromptRenderer
from core.records import Example
from core.rendering import gap, render_example
from core.spec import Settings, TaskSpec

YES_NO = ("yes", "no")
REFERENCE_ITEM = "reference"


@dataclass(frozen=True)
class Continuation:
    """One possible answer: its tokens, the end-of-turn token included."""

    text: str
    ids: tuple[int, ...]
    starts: tuple[int, ...]
    n_bytes: int


@dataclass(frozen=True)
class ScoreRequest:
    """How likely is each continuation after the prompt?"""

    task: str
    example_id: str
    item: str
    kind: Literal["options", "likelihood"]
    prompt: tuple[int, ...]
    continuations: tuple[Continuation, ...]


@dataclass(frozen=True)
class GenerateRequest:
    """What does the variant answer?"""

    task: str
    example_id: str
    item: str
    prompt: tuple[int, ...]
    temperature: float | None = None
    """Of this task alone; None is the one of the settings."""


Request = ScoreRequest | GenerateRequest


@dataclass(frozen=True)
class Refusal:
    """Something that cannot be asked of this model, with the reason."""

    task: str
    example_id: str
    item: str
    reason: str


def requests_of(example: Example, task: TaskSpec, renderer: PromptRenderer) -> Iterable[Request]:
    """Return all that a task asks about one example."""

    def prompt_ids(option: str | None = None) -> tuple[int, ...]:
        text = render_example(example, task, renderer, option)
        ids = renderer.encode(text, special=task.is_plain).ids
        return (ids or renderer.start_ids) if task.is_plain else ids

    def answers(texts: Iterable[str]) -> tuple[Continuation, ...]:
        return tuple(_continuation(text, task, renderer) for text in texts)

    identity = (example.task, example.id)
    if task.generates:
        yield GenerateRequest(*identity, "", prompt_ids(), task.temperature)
    elif task.kind == "multilabel":
        for tag in example.options:
            yield ScoreRequest(*identity, tag, "options", prompt_ids(tag), answers(YES_NO))
    elif task.kind != "likelihood":
        yield ScoreRequest(*identity, "", "options", prompt_ids(), answers(example.options))
    if task.kind in ("generation", "likelihood"):
        item = REFERENCE_ITEM if task.generates else ""
        text = example.reference[0] if isinstance(example.reference, list) else example.reference
        yield ScoreRequest(*identity, item, "likelihood", prompt_ids(), answers([str(text)]))


def _continuation(text: str, task: TaskSpec, renderer: PromptRenderer) -> Continuation:
    spaced = gap(task) if task.is_plain else ""
    encoded: Encoded = renderer.encode(spaced + text)
    end = () if task.is_plain else renderer.end_of_turn_ids
    starts = tuple(max(0, start - len(spaced)) for start in encoded.starts)
    return Continuation(text, encoded.ids + end, starts + (len(text),) * len(end), len(text.encode()))


def why_not(request: Request, context: int | None, settings: Settings) -> str | None:
    """Return why a request cannot be asked of a model with this context, in tokens; None if it can be."""
    if not request.prompt:
        return "the prompt is empty"
    answer = (
        settings.max_new_tokens
        if isinstance(request, GenerateRequest)
        else max(len(continuation.ids) for continuation in request.continuations)
    )
    if context is not None and len(request.prompt) + answer > context:
        return f"prompt and answer need {len(request.prompt) + answer:,} tokens; the model's context holds {context:,}"
    if isinstance(request, ScoreRequest) and any(not continuation.ids for continuation in request.continuations):
        return "a reference or option is empty: it has no tokens to score"
    return None
