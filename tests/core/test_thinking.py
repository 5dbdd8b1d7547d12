"""The thinking before an answer is found where it stands, and nowhere else."""

from __future__ import annotations

import pytest

from core.thinking import ThinkingRule, Thought

RULE = ThinkingRule(("<think>", "</think>"), (7, 8))
OPENED = ThinkingRule(("<think>", "</think>"), (7, 8), opened=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No block.", Thought("No block.")),
        ("  as it is \n", Thought("  as it is \n")),
        ("<think>\nhm\n</think>\n\n42", Thought("42", "\nhm\n")),
        ("\n<think>a</think>b<think>c</think> d", Thought("d", "abc")),
        ("<think>a</think>\n<think>never", Thought("", "a\nnever", closed=False)),
        ("<think>never closed", Thought("", "never closed", closed=False)),
        ("<think></think>", Thought("", "")),
        ("<think>a</think>The tag <think> opens a block.", Thought("The tag <think> opens a block.", "a")),
        ("The tags are <think> and </think>.", Thought("The tags are <think> and </think>.")),
        ("b</think>c", Thought("b</think>c")),
        ("", Thought("")),
    ],
)
def test_a_text_is_parted(text: str, expected: Thought) -> None:
    assert RULE.part(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hm\n</think>\n\n42", Thought("42", "hm\n")),
        ("<think>hm</think>42", Thought("42", "hm")),
        ("never closed", Thought("", "never closed", closed=False)),
    ],
)
def test_a_block_that_the_prompt_opened(text: str, expected: Thought) -> None:
    assert OPENED.part(text) == expected


@pytest.mark.parametrize(("ids", "count"), [((1, 7, 8, 2), 3), ((7, 8, 7, 8, 9), 4), ((1, 7, 2, 8), None), ((), None)])
def test_tokens_of_thinking_end_with_the_last_mark(ids: tuple[int, ...], count: int | None) -> None:
    assert RULE.count(ids) == count
    assert ThinkingRule(("<think>", "</think>")).count(ids) is None
