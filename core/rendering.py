"""The prompt of an example as a model sees it: fields filled in, worked examples before it, the chat template around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from core.data.prompt import PromptRenderer, fill
from core.records import Example
from core.spec import RunSpec, TaskSpec


def render_example(example: Example, task: TaskSpec, renderer: PromptRenderer, option: str | None = None) -> str:
    """Return the prompt of an example as the model sees it; ``option`` is the tag that a multilabel task asks about.

    Raises:
        InputError: the prompt names a field that the row lacks, or the chat template refuses it.
    """
    if task.prompt is None:
        return ""
    where = f"task {example.task}, example {example.id}"
    question = fill(task.prompt, dict(example.fields) | ({"option": option} if option is not None else {}), where)
    if task.is_plain:
        shots = [
            fill(task.prompt, shot.fields, f"{where}, few_shot") + gap(task) + shot.answer for shot in task.few_shot
        ]
        return "\n\n".join([*([task.system] if task.system else []), *shots, question])
    messages: list[dict[str, Any]] = [{"role": "system", "content": task.system}] if task.system else []
    for shot in task.few_shot:
        messages.append({"role": "user", "content": fill(task.prompt, shot.fields, f"{where}, few_shot")})
        messages.append({"role": "assistant", "content": shot.answer})
    return renderer.render([*messages, {"role": "user", "content": question}])


def with_prompts(examples: Iterable[Example], spec: RunSpec, renderer: PromptRenderer) -> tuple[Example, ...]:
    """Return the examples with the prompt that the model will see; ``{option}`` stays where each tag is asked about."""
    return tuple(
        replace(
            e, prompt=render_example(e, spec.tasks[e.task], renderer, "{option}" if _asks_each_tag(spec, e) else None)
        )
        for e in examples
    )


def _asks_each_tag(spec: RunSpec, example: Example) -> bool:
    return spec.tasks[example.task].kind == "multilabel"


def gap(task: TaskSpec) -> str:
    """Return what stands between a plain prompt and its answer."""
    return " " if task.prompt and not task.prompt[-1].isspace() else ""
