"""A conversation turn by turn, and what a variant wrote for itself before its answer: both as text, folded away."""

from __future__ import annotations

import html

import streamlit as st

from core.conversation import conversation, message_text, offered_tools
from core.example_options import Answer
from core.notation import counted
from core.records import Example
from core.spec import TaskSpec
from dashboard.parts.word_diff import exact_text

_MOST_TURNS = 40


def draw_turns(example: Example, task: TaskSpec) -> None:
    """Draw the row's conversation where the task asks with one; the newest `_MOST_TURNS` of a longer one."""
    if task.messages is None or task.messages not in example.fields:
        return
    turns = conversation(example, task)
    with st.expander(f"Conversation, {counted(len(turns), 'turn')}"):
        if len(turns) > _MOST_TURNS:
            st.html(f'<p class="ls-foot">The last {_MOST_TURNS} of {len(turns):,} turns.</p>')
        for place, turn in list(enumerate(turns))[-_MOST_TURNS:]:
            role = str(turn["role"])
            st.html(f'<div class="ls-label">{html.escape(role)}</div>')
            exact_text(message_text(turn), f"card-turn-{place}", name=f"turn {place + 1}, {role}", tall=True)
        if tools := offered_tools(example, task):
            names = ", ".join(_tool_name(tool) for tool in tools)
            st.html(f'<p class="ls-foot">Tools on offer: {html.escape(names)}</p>')


def _tool_name(tool: dict[str, object]) -> str:
    inner = tool.get("function")
    return str((inner if isinstance(inner, dict) else tool).get("name") or "a tool without a name")


def draw_thinking(answer: Answer, variant: str) -> None:
    """Draw the thinking before an answer, if there is any, and say where it never came to an answer."""
    if answer.thinking is None:
        return
    size = counted(len(answer.thinking), "character")
    if answer.n_thinking_tokens is not None:
        size = counted(answer.n_thinking_tokens, "token")
    with st.expander(f"Thinking, {size}"):
        exact_text(answer.thinking, f"thinking-{variant}", name=f"thinking of {variant}", tall=True)
    if not answer.text:
        st.html('<p class="ls-foot" role="note">No answer follows the thinking.</p>')
