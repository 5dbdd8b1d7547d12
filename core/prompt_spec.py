"""What workspace.yaml says of prompts beside their text: conversations, tools, template variables, thinking, long prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

if TYPE_CHECKING:
    from core.spec import TaskSpec

Mark = Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]
ThinkingMarks = tuple[Mark, Mark]
"""What opens and what closes a block that a model writes for itself before its answer."""
DEFAULT_MARKS: ThinkingMarks = ("<think>", "</think>")
"""Qwen3, DeepSeek-R1, SmolLM3 and most others."""
TooLong = Literal["skip", "truncate", "fail"]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
TemplateVariables = dict[Variable, bool | int | float | str | None]
GIVEN_VARIABLES = frozenset({"messages", "tools", "documents", "add_generation_prompt", "bos_token", "eos_token"})
"""What every template is given already."""


def prompt_mistake(task: TaskSpec) -> str | None:
    """Return what is wrong with how a task says its prompts are made; None if nothing is."""
    if taken := next((name for name in task.template_variables if name in GIVEN_VARIABLES), None):
        return f"template_variables: {taken!r} is what every chat template is given already; leave it out"
    if task.template == "none" and (unused := _of_templates(task)):
        return f"{unused!r} is for the chat template, and 'template: none' leaves that out; remove one of the two"
    if task.messages is None:
        if task.tools is not None and task.prompt is None:
            return "'tools' needs a prompt, or 'messages', that they are offered with"
        return None
    if task.prompt is not None:
        return "found both 'prompt' and 'messages'; a row's conversation is the prompt, so keep one of them"
    if task.few_shot:
        return "'few_shot' fills the fields of a prompt; with 'messages' worked examples are turns of the conversation"
    if task.kind == "multilabel" and task.answer is None:
        return "a multilabel task asks yes or no for each tag: it needs a prompt with {option}, not 'messages'"
    return None


def _of_templates(task: TaskSpec) -> str | None:
    given: dict[str, Any] = {
        "messages": task.messages, "tools": task.tools, "template_variables": task.template_variables or None,
    }  # fmt: skip
    return next((name for name, value in given.items() if value is not None), None)
