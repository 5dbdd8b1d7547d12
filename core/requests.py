"""What a model is asked about one example, as tokens: prompts to answer, and continuations to score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core.data.prompt import Encoded, PromptRenderer
from core.records import REFERENCE_ITEM, Example
from core.rendering import gap, render_example
from core.spec import Settings, TaskSpec

YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Continuation:
    """One possible answer: its tokens, the end-of-turn token included."""

    text: str
    ids: tuple[int, ...]
    starts: tuple[int, ...]
    n_bytes: int


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """How likely is each continuation after the prompt?"""

    task: str
    example_id: str
    item: str
    kind: Literal["options", "likelihood"]
    prompt: tuple[int, ...]
    continuations: tuple[Continuation, ...]


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """What does the variant answer?"""

    task: str
    example_id: str
    item: str
    prompt: tuple[int, ...]
    temperature: float | None = None
    """Of this task alone; None is the one of the settings."""


@dataclass(frozen=True, slots=True)
class MessagesRequest:
    """What does a variant answer to a conversation around which somebody else puts the template?"""

    task: str
    example_id: str
    item: str
    asked: str
    """A JSON object: ``messages``, and where there are any ``tools`` and ``chat_template_kwargs``."""
    temperature: float | None = None
    """Of this task alone; None is the one of the settings."""


@dataclass(frozen=True, slots=True)
class HeadRequest:
    """What does a classification head say of a text?"""

    task: str
    example_id: str
    item: str
    prompt: tuple[int, ...]
    """The text, as the head's own tokenizer cuts it."""
    reading: Literal["one", "each", "number"]
    """``one``: log-softmax over all outputs; ``each``: log-sigmoid of one output; ``number``: the output as it is."""
    outputs: tuple[int, ...]
    """The output that stands for each option; of ``each`` and ``number`` the one that is read."""
    options: tuple[str, ...]


Request = ScoreRequest | GenerateRequest
"""In tokens of the base's tokenizer."""
Question = Request | MessagesRequest | HeadRequest


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that cannot be asked of this model, with the reason."""

    task: str
    example_id: str
    item: str
    reason: str
    variants: tuple[str, ...] | None = None
    """Who cannot be asked; None is every variant."""
    too_long: bool = False
    """Whether the reason is that prompt and answer do not fit into the context."""
    virtual_tokens: int = 0
    """Of ``variants``, without which prompt and answer would fit."""


def requests_of(
    example: Example, task: TaskSpec, renderer: PromptRenderer, settings: Settings | None = None
) -> Iterable[Request]:
    """Return all that a task asks about one example; ``settings`` are the run's.

    Raises:
        InputError: see `core.rendering.render_example`.
    """

    def prompt_ids(option: str | None = None, *, answering: bool = True) -> tuple[int, ...]:
        text = render_example(example, task, renderer, option, settings=settings, answering=answering)
        ids = renderer.encode(text, special=task.is_plain).ids
        return (ids or renderer.start_ids) if task.is_plain else ids

    def answers(texts: Iterable[str]) -> tuple[Continuation, ...]:
        return tuple(_continuation(text, task, renderer) for text in texts)

    identity = (example.task, example.id)
    if task.generates:
        yield GenerateRequest(*identity, "", prompt_ids(answering=False), task.temperature)
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
    if renderer.is_seq2seq:
        return _target(text, renderer)
    spaced = gap(task) if task.is_plain else ""
    encoded: Encoded = renderer.encode(spaced + text)
    end = () if task.is_plain else renderer.end_of_turn_ids
    starts = tuple(max(0, start - len(spaced)) for start in encoded.starts)
    return Continuation(text, encoded.ids + end, starts + (len(text),) * len(end), len(text.encode()))


def _target(text: str, renderer: PromptRenderer) -> Continuation:
    """Return an answer as a decoder of its own was trained on it: what the tokenizer puts around a text, and its end."""
    encoded = renderer.encode(text, special=True)
    ids, starts = encoded.ids, encoded.starts
    end = renderer.end_of_turn_ids
    if not text:
        return Continuation(text, (), (), 0)
    if ids[-1:] == end:
        starts = (*starts[:-1], len(text))
    else:
        ids, starts = ids + end, starts + (len(text),) * len(end)
    return Continuation(text, ids, starts, len(text.encode()))


def why_not(request: Request, context: int | None, settings: Settings, *, apart: bool = False) -> str | None:
    """Return why a request cannot be asked of a model with this context, in tokens; None if it can be.

    ``apart``: prompt and answer have a context each (an encoder's and a decoder's).
    """
    if not request.prompt:
        return "the prompt is empty"
    if too_long := why_too_long(request, context, settings, apart=apart):
        return too_long
    if isinstance(request, ScoreRequest) and any(not continuation.ids for continuation in request.continuations):
        return "a reference or option is empty: it has no tokens to score"
    return None


def why_too_long(request: Request, context: int | None, settings: Settings, *, apart: bool = False) -> str | None:
    """Return how a request is too long for the context; None if it fits. Arguments as in `why_not`."""
    answer = answer_length(request, settings)
    if context is not None and apart and max(len(request.prompt), answer) > context:
        return f"the prompt needs {len(request.prompt):,} tokens and the answer {answer:,}; encoder and decoder hold {context:,} each"
    if context is not None and not apart and len(request.prompt) + answer > context:
        return f"prompt and answer need {len(request.prompt) + answer:,} tokens; the model's context holds {context:,}"
    return None


def answer_length(request: Request, settings: Settings) -> int:
    """Return how many tokens after the prompt the context has to hold at most."""
    if isinstance(request, GenerateRequest):
        return settings.max_new_tokens
    return max(len(continuation.ids) for continuation in request.continuations)


def beyond(request: Request, vocabulary_size: int | None) -> int | None:
    """Return the first token of prompt and continuations for which a model with so many embeddings has none; None if it has all."""
    texts = [request.prompt, *(one.ids for one in getattr(request, "continuations", ()))]
    if vocabulary_size is None or max((max(ids, default=-1) for ids in texts), default=-1) < vocabulary_size:
        return None
    return next(number for ids in texts for number in ids if number >= vocabulary_size)


def items_of(example: Example, task: TaskSpec) -> tuple[str, ...]:
    """Return the items of what a task asks about one example, as its requests name them."""
    if task.kind == "multilabel":
        return example.options
    return ("", REFERENCE_ITEM) if task.kind == "generation" else ("",)
