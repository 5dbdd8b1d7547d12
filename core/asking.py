"""What is asked about one example of a model with so much context: its requests, and what cannot be asked with the reason.

A prompt that is too long is left out, or cut where the settings say so. Then the template, the instructions and the worked
examples stay whole: of a conversation the oldest exchanges go, of a text the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.data.chat_template import TemplateRefusal
from core.data.placeholders import named_fields
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.records import Example
from core.requests import Refusal, Request, answer_length, beyond, items_of, requests_of, why_not, why_too_long
from core.spec import Settings, TaskSpec

Fits = Callable[[Example], bool]


@dataclass(frozen=True)
class Asked:
    """What is asked about one example."""

    requests: tuple[Request, ...]
    refusals: tuple[Refusal, ...] = ()
    cut: Example | None = None
    """The example as it is asked, where something of its fields was cut away."""

    def lacking(self, request: Request) -> frozenset[str]:
        """Return the variants that are not asked one of the requests, since their virtual tokens leave it no room."""
        named = (one for one in self.refusals if one.virtual_tokens and one.item == request.item)
        return frozenset(variant for one in named for variant in one.variants or ())


def ask(
    example: Example,
    task: TaskSpec,
    renderer: PromptRenderer,
    settings: Settings,
    virtual_tokens: Mapping[str, int] | None = None,
) -> Asked:
    """Return what is asked about an example.

    Args:
        example: of the task.
        task: how it is asked.
        renderer: of the base.
        settings: of the run.
        virtual_tokens: how many tokens of the context some variants' adapters fill before every prompt (prompt tuning and its
            kind). A prompt that has no room beside them is refused for these variants alone; one that is cut is cut for all.

    Raises:
        InputError: the prompt names a field that the row lacks, or the model has no chat template.
    """
    virtual = {} if renderer.is_seq2seq else virtual_tokens or {}
    try:
        asked = _asked(example, task, renderer, settings, virtual)
        if settings.too_long != "truncate" or not any(refusal.too_long for refusal in asked.refusals):
            return asked
        cut = shortened(
            example, task, lambda one: _fits(one, task, renderer, settings, max(virtual.values(), default=0))
        )
        return asked if cut is None else replace(_asked(cut, task, renderer, settings, virtual), cut=cut)
    except TemplateRefusal as error:
        return Asked((), tuple(Refusal(example.task, example.id, item, str(error)) for item in items_of(example, task)))


def _asked(
    example: Example, task: TaskSpec, renderer: PromptRenderer, settings: Settings, virtual: Mapping[str, int]
) -> Asked:
    asked: list[Request] = []
    refused: list[Refusal] = []
    for request in requests_of(example, task, renderer, settings):
        reason = why_not(request, renderer.context_length, settings, apart=renderer.is_seq2seq)
        if reason is None and (number := beyond(request, renderer.vocabulary_size)) is not None:
            reason = _no_embedding(number, renderer)
        if reason is None:
            asked.append(request)
            refused += _without_room(request, renderer.context_length, settings, virtual)
        else:
            too_long = reason == _too_long(request, renderer, settings)
            refused.append(Refusal(request.task, request.example_id, request.item, reason, too_long=too_long))
    return Asked(tuple(asked), tuple(refused))


def _no_embedding(number: int, renderer: PromptRenderer) -> str:
    return (
        f"it has the token {renderer.tokenizer.id_to_token(number)!r}, number {number:,}, and the model's embeddings end before number "
        f"{renderer.vocabulary_size:,}: the tokenizer in {renderer.folder} is larger than the model"
    )


def _without_room(
    request: Request, context: int | None, settings: Settings, virtual: Mapping[str, int]
) -> Iterator[Refusal]:
    """Yield a refusal for each variant whose virtual tokens leave a request no room that has some without them."""
    needed = len(request.prompt) + answer_length(request, settings)
    for variant, count in virtual.items():
        if context is not None and needed + count > context:
            reason = (
                f"prompt and answer need {needed:,} tokens and the adapter's virtual tokens {count:,} more; the model's context holds "
                f"{context:,}"
            )
            yield Refusal(
                request.task, request.example_id, request.item, reason, (variant,), too_long=True, virtual_tokens=count
            )


def _too_long(request: Request, renderer: PromptRenderer, settings: Settings, virtual: int = 0) -> str | None:
    context = renderer.context_length
    room = None if context is None else context - virtual
    return why_too_long(request, room, settings, apart=renderer.is_seq2seq)


def _fits(example: Example, task: TaskSpec, renderer: PromptRenderer, settings: Settings, virtual: int) -> bool:
    asked = requests_of(example, task, renderer, settings)
    return not any(_too_long(request, renderer, settings, virtual) for request in asked)


def shortened(example: Example, task: TaskSpec, fits: Fits) -> Example | None:
    """Return an example of which as little as possible was cut so that it fits; None where nothing helps.

    Args:
        example: too long.
        task: says where its texts are. Of a prompt's fields the longest is cut first, from its beginning; of a conversation
            whole exchanges go, the oldest first and never the system message, and then the beginning of the last turn.
        fits: tells of an example whether it fits.
    """
    if task.messages is not None:
        return _shortened_conversation(example, task.messages, fits)
    texts = {name: example.fields.get(name) for name in named_fields(task.prompt)}
    lengths = {name: len(text) for name, text in texts.items() if isinstance(text, str)}
    for name in sorted(lengths, key=lambda name: -lengths[name]):
        emptied = _with_field(example, name, "")
        if fits(emptied):
            return _with_end(example, name, fits)
        example = emptied
    return None


def _with_end(example: Example, name: str, fits: Fits) -> Example:
    text = example.fields[name]
    return _with_field(example, name, _longest_end(text, lambda end: fits(_with_field(example, name, end))))


def _shortened_conversation(example: Example, name: str, fits: Fits) -> Example | None:
    messages: list[dict[str, Any]] = example.fields[name]
    system = messages[:1] if messages[0]["role"] in ("system", "developer") else []
    starts = [place for place in range(len(system) + 1, len(messages)) if messages[place]["role"] == "user"]
    for start in starts:
        left = _with_field(example, name, [*system, *messages[start:]])
        if fits(left):
            return left
    first = starts[-1] if starts else len(system)
    turn, later = messages[first], messages[first + 1 :]
    if not isinstance(turn.get("content"), str):
        return None

    def with_end(end: str) -> Example:
        return _with_field(example, name, [*system, {**turn, "content": end}, *later])

    return with_end(_longest_end(turn["content"], lambda end: fits(with_end(end)))) if fits(with_end("")) else None


def _with_field(example: Example, name: str, value: Any) -> Example:
    return replace(example, fields={**example.fields, name: value})


def _longest_end(text: str, fits: Callable[[str], bool]) -> str:
    """Return the longest end of a text that fits, found by halving; its empty end is known to."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high) // 2
        if fits(text[middle:]):
            high = middle
        else:
            low = middle + 1
    return text[high:]


def refuse_too_long(refusals: Sequence[Refusal], n_examples: int) -> None:
    """Refuse to begin where something does not fit and the settings want all or nothing.

    Raises:
        InputError: with the first that does not fit, and how many.
    """
    long = [refusal for refusal in refusals if refusal.too_long]
    if long:
        count = len({(refusal.task, refusal.example_id) for refusal in long})
        raise InputError(
            f"{count:,} of {n_examples:,} examples do not fit into the model's context, and settings.too_long is 'fail'. The first: "
            f"task {long[0].task}, example {long[0].example_id}: {long[0].reason}. Shorten them, or choose 'skip' or 'truncate'."
        )


def prompt_sentences(
    examples: Sequence[Example], refusals: Sequence[Refusal], cut: Sequence[Example], context: int | None
) -> Iterator[str]:
    """Yield, task by task, how many prompts were cut and how many were left out for being too long."""
    held = "" if context is None else f" of {context:,} tokens"
    for task in dict.fromkeys(example.task for example in examples):
        n = sum(example.task == task for example in examples)
        shortened_here = sum(example.task == task for example in cut)
        long = [refusal for refusal in refusals if refusal.task == task and refusal.too_long]
        left = len({refusal.example_id for refusal in long if not refusal.virtual_tokens})
        if shortened_here:
            yield f"{task}: {shortened_here:,} of {n:,} prompts were cut at their beginning to fit the context{held}."
        if left:
            yield f"{task}: {left:,} of {n:,} examples do not fit into the context{held} and are left out."
        yield from _without_room_sentences(task, n, [refusal for refusal in long if refusal.virtual_tokens], held)
        refused = [one for one in refusals if one.task == task and not one.too_long]
        if refused:
            count = len({refusal.example_id for refusal in refused})
            yield f"{task}: {count:,} of {n:,} examples cannot be asked; the first, {refused[0].example_id}: {refused[0].reason}."


def _without_room_sentences(task: str, n: int, refusals: Sequence[Refusal], held: str) -> Iterator[str]:
    for name in dict.fromkeys(variant for refusal in refusals for variant in refusal.variants or ()):
        own = [refusal for refusal in refusals if refusal.variants and name in refusal.variants]
        count = len({refusal.example_id for refusal in own})
        yield (
            f"{task}, {name}: {count:,} of {n:,} examples do not fit into the context{held} beside the adapter's "
            f"{own[0].virtual_tokens:,} virtual tokens; they have no value for {name}, and are not part of its comparisons."
        )
