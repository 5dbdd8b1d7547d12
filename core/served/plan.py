"""What a variant is asked whose server puts its own template around a conversation; the rest of a plan is the same for all.

A server that takes tokens (`api: completions`) is asked the parts that local variants are asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from core.conversation import conversation, message_text, offered_tools
from core.plan import Batch, Part, Plan
from core.records import REFERENCE_ITEM, Example
from core.requests import MessagesRequest, Refusal, items_of
from core.served.reasons import NO_PROMPT_LOGPROBS
from core.spec import ModelSet, RunSpec, TaskSpec

REQUESTS_A_PART = 16
"""Answers that are written together: what a killed run asks again at most, for each part under way."""
_LETTERS_A_TOKEN = 4
BY_CHAT = f"{NO_PROMPT_LOGPROBS}: it is asked through chat completions (api: chat)"
NO_TEMPLATE = (
    "the prompt is for a model as it is (template: none), and this server puts a chat template around it (api: chat)"
)


def asked_by_tokens(models: ModelSet, variant: str) -> bool:
    """Tell whether a variant is asked in tokens of the base's tokenizer."""
    server = models.server_of(variant)
    return server is None or server.api == "completions"


def is_asked(models: ModelSet, variant: str, part: Part) -> bool:
    """Tell whether a part is for a variant."""
    return asked_by_tokens(models, variant) if part.variants is None else variant in part.variants


def with_conversations(plan: Plan, examples: Sequence[Example], spec: RunSpec) -> Plan:
    """Return the plan with what is asked of variants that take conversations; without such variants as it is.

    Perturbed inputs come last, in parts of their own, as in the rest of the plan.
    """
    chatting = _chatting(spec.models)
    if not chatting:
        return plan
    others = tuple(name for name in spec.models.variants if name not in chatting)
    parts = [_without(part, chatting) for part in plan.parts]
    refusals = [replace(one, variants=one.variants or others) for one in plan.refusals]
    for is_twin in (False, True):
        requests: list[MessagesRequest] = []
        for example in examples:
            task = spec.tasks[example.task]
            if (task.perturbation is not None) is is_twin:
                for one in _asked(example, task, spec):
                    if isinstance(one, Refusal):
                        refusals.append(replace(one, variants=chatting))
                    else:
                        requests.append(one)
        for first in range(0, len(requests), REQUESTS_A_PART):
            chosen = requests[first : first + REQUESTS_A_PART]
            tokens = sum(token_guess(one, spec.settings.max_new_tokens) for one in chosen)
            batch = Batch("messages", tuple((one,) for one in chosen), tokens)
            parts.append(Part(len(parts), (batch,), chatting))
    return replace(plan, parts=tuple(parts), refusals=tuple(refusals))


def _without(part: Part, chatting: tuple[str, ...]) -> Part:
    if part.variants is None:
        return part
    return replace(part, variants=tuple(name for name in part.variants if name not in chatting))


def without_conversations(refusals: Sequence[Refusal]) -> list[Refusal]:
    """Return the refusals that are not for the way in which a server is asked: those of one task are all alike."""
    return [one for one in refusals if one.reason not in (BY_CHAT, NO_TEMPLATE)]


def conversation_sentences(spec: RunSpec) -> Iterable[str]:
    """Yield what of a run's tasks has no value for the variants whose server is asked by conversations."""
    chatting = ", ".join(_chatting(spec.models))
    tasks = {name: task for name, task in spec.clean_tasks.items() if chatting}
    plain = [name for name, task in tasks.items() if task.generates and task.is_plain]
    scored = [name for name, task in tasks.items() if not task.generates]
    beside = [name for name, task in tasks.items() if task.kind == "generation"]
    if plain:
        yield f"{chatting}: no value in {', '.join(plain)}: {NO_TEMPLATE}."
    if scored:
        yield f"{chatting}: no value in {', '.join(scored)}: {BY_CHAT}."
    if beside:
        yield f"{chatting}: no likelihood of the references of {', '.join(beside)}: {BY_CHAT}."


def _chatting(models: ModelSet) -> tuple[str, ...]:
    return tuple(name for name in models.variants if not asked_by_tokens(models, name))


def token_guess(request: MessagesRequest, max_new_tokens: int) -> int:
    """Return about how many tokens a conversation and its answer have; no tokenizer is at hand that knows."""
    return len(request.asked) // _LETTERS_A_TOKEN + max_new_tokens


def with_conversation_texts(examples: Iterable[Example], spec: RunSpec) -> tuple[Example, ...]:
    """Return the examples of a run whose template is the server's, with their conversation as people read it."""
    return tuple(replace(example, prompt=_as_text(example, spec.tasks[example.task])) for example in examples)


def _as_text(example: Example, task: TaskSpec) -> str:
    if task.prompt is None and task.messages is None:
        return ""
    messages = conversation(example, task, "{option}" if task.kind == "multilabel" else None)
    return "\n\n".join(f"{message['role']}: {message_text(message)}" for message in messages)


def _asked(example: Example, task: TaskSpec, spec: RunSpec) -> Iterable[MessagesRequest | Refusal]:
    """Yield what is asked about one example, and for what needs log-probabilities of a given text the reason."""
    identity = (example.task, example.id)
    for item in items_of(example, task):
        if not task.generates or item == REFERENCE_ITEM:
            yield Refusal(*identity, item, BY_CHAT)
        elif task.is_plain:
            yield Refusal(*identity, item, NO_TEMPLATE)
        else:
            asked: dict[str, Any] = {"messages": conversation(example, task)}
            if tools := offered_tools(example, task):
                asked["tools"] = tools
            if variables := {**spec.settings.template_variables, **task.template_variables}:
                asked["chat_template_kwargs"] = variables
            content = json.dumps(asked, ensure_ascii=False, sort_keys=True)
            yield MessagesRequest(*identity, item, content, task.temperature)
