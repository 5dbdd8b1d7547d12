"""The prompt of an example as a model sees it: fields filled in, worked examples before it, the chat template around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from core.conversation import conversation, offered_tools
from core.data.chat_template import TemplateRefusal
from core.data.placeholders import fill
from core.data.prompt import PromptRenderer
from core.errors import InputError, nearest
from core.records import Example
from core.spec import RunSpec, Settings, TaskSpec

CUT_TAG = "prompt=cut"
"""The tag of an example whose prompt was cut to fit the context: its beginning is missing."""
SWITCHES = ("enable_thinking", "thinking")
"""The variables by which chat templates are told to let a model answer at once (Qwen3 and SmolLM3; DeepSeek-V3.1 and Granite)."""


def render_example(
    example: Example, task: TaskSpec, renderer: PromptRenderer, option: str | None = None, *,
    settings: Settings | None = None, answering: bool = False,
) -> str:  # fmt: skip
    """Return the prompt of an example as the model sees it.

    Args:
        example: what is asked.
        task: how.
        renderer: of the model.
        option: the tag that a multilabel task asks about.
        settings: of the run: template variables, and the marks of thinking.
        answering: whether an answer follows at once, as one that is scored does, and not a block of thinking.

    Raises:
        InputError: the prompt names a field that the row lacks, or there is no chat template.
        TemplateRefusal: the chat template does not take this conversation.
    """
    if task.prompt is None and task.messages is None:
        return ""
    if task.is_plain:
        where = f"task {example.task}, example {example.id}"
        prompt = task.prompt or ""
        question = fill(prompt, dict(example.fields) | ({"option": option} if option is not None else {}), where)
        shots = [fill(prompt, shot.fields, f"{where}, few_shot") + gap(task) + shot.answer for shot in task.few_shot]
        return "\n\n".join([*([task.system] if task.system else []), *shots, question])
    asked = settings or Settings()
    variables = {**asked.template_variables, **task.template_variables}
    render = partial(renderer.render, conversation(example, task, option), tools=offered_tools(example, task))
    text = render(variables=variables)
    marks = asked.thinking if isinstance(asked.thinking, tuple) else None
    if not answering or marks is None or text.rstrip().endswith(marks[1]):
        return text
    opening, closing = marks
    for name in SWITCHES:
        if name not in variables and name in renderer.variables:
            other = render(variables={**variables, name: False})
            if other.rstrip().endswith(closing):
                return other
    return f"{text.rstrip()}\n\n{closing}\n\n" if text.rstrip().endswith(opening) else text


def with_prompts(
    examples: Iterable[Example], spec: RunSpec, renderer: PromptRenderer, cut: Iterable[Example] = ()
) -> tuple[Example, ...]:
    """Return the examples with the prompt that the model will see; ``{option}`` stays where each tag is asked about.

    Args:
        examples: of the run.
        spec: of the run.
        renderer: of the base.
        cut: those of them whose fields were cut so that the prompt fits: they get a tag, and keep their row.
    """
    shortened = {(example.task, example.id): example for example in cut}
    return tuple(
        _with_prompt(example, shortened.get((example.task, example.id)), spec, renderer) for example in examples
    )


def _with_prompt(example: Example, cut: Example | None, spec: RunSpec, renderer: PromptRenderer) -> Example:
    task = spec.tasks[example.task]
    option = "{option}" if task.kind == "multilabel" else None
    try:
        prompt = render_example(
            cut or example, task, renderer, option, settings=spec.settings, answering=not task.generates
        )
    except TemplateRefusal:  # the evidence says why there is none
        prompt = ""
    tags = example.tags if cut is None or CUT_TAG in example.tags else (*example.tags, CUT_TAG)
    return replace(example, prompt=prompt, tags=tags)


def check_variables(tasks: Mapping[str, TaskSpec], settings: Settings, renderer: PromptRenderer) -> None:
    """Check that the chat template looks up the variables that it is to be given: another one would do nothing.

    Raises:
        InputError: it does not.
    """
    for name, task in tasks.items():
        given: dict[str, Any] = {**settings.template_variables, **task.template_variables}
        if task.is_plain or task.imported or not given:
            continue
        known = renderer.variables
        if unknown := next((variable for variable in given if variable not in known), None):
            raise InputError(
                f"task {name}: template_variables: the chat template does not look at {unknown!r}{nearest(unknown, known)}; it looks "
                f"at {', '.join(sorted(known))}."
            )


def gap(task: TaskSpec) -> str:
    """Return what stands between a plain prompt and its answer."""
    return " " if task.prompt and not task.prompt[-1].isspace() else ""
