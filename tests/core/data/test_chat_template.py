"""Conversations become the text that transformers makes of them: several turns, tools, tool calls, variables."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from jinja2.exceptions import TemplateError

from core.conversation import parted
from core.data.chat_template import TemplateRefusal
from core.data.prompt import PromptRenderer
from core.errors import InputError
from tests.chat_templates import CALLS, MISTRAL_LIKE, QWEN3_LIKE, TEMPLATES, TURNS, WEATHER, made_folder

CASES: dict[str, dict[str, Any]] = {
    "turns": {"conversation": TURNS},
    "tools on offer": {"conversation": TURNS, "tools": [WEATHER]},
    "a call and its result": {"conversation": CALLS, "tools": [WEATHER]},
    "no thinking": {"conversation": TURNS[1:], "enable_thinking": False},
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_conversation_is_rendered_as_transformers_does(tmp_path: Path, name: str) -> None:
    from transformers import AutoTokenizer

    theirs: Any = AutoTokenizer.from_pretrained(made_folder(tmp_path, TEMPLATES[name]))
    ours, agreed = PromptRenderer(tmp_path), 0
    for case in CASES.values():
        given = {key: value for key, value in case.items() if key not in ("conversation", "tools")}
        asked = parted(case["conversation"])[0]
        try:
            expected = theirs.apply_chat_template(**case, tokenize=False, add_generation_prompt=True)
        except TemplateError as error:
            with pytest.raises(TemplateRefusal) as refused:
                ours.render(asked, tools=case.get("tools"), variables=given)
            assert str(error) in str(refused.value)
            continue
        found = ours.render(asked, tools=case.get("tools"), variables=given)
        assert _undated(found) == _undated(expected)
        agreed += 1
    assert agreed >= (3 if name == "Mistral" else 4)


def _undated(text: str) -> str:
    """Return a text without the line of today's date, which is the same day for every run of ours."""
    return "\n".join(line for line in text.split("\n") if not line.startswith("Today Date: "))


def test_a_template_refuses_in_its_own_words(tmp_path: Path) -> None:
    renderer = PromptRenderer(made_folder(tmp_path, MISTRAL_LIKE))
    with pytest.raises(TemplateRefusal, match="conversation roles must alternate"):
        renderer.render([TURNS[1], TURNS[1]])
    assert renderer.render(TURNS).startswith("<|im_start|> [INST] Be brief.")


def test_a_template_tells_its_variables_and_travels_to_another_process(tmp_path: Path) -> None:
    renderer = PromptRenderer(made_folder(tmp_path, QWEN3_LIKE))
    assert {"enable_thinking", "tools", "messages"} <= renderer.variables
    assert "namespace" not in renderer.variables
    assert copy.deepcopy(renderer).render(TURNS) == renderer.render(TURNS)


def test_another_template_may_be_given_and_is_in_the_fingerprint(tmp_path: Path) -> None:
    folder = made_folder(tmp_path, MISTRAL_LIKE)
    other = PromptRenderer(folder, QWEN3_LIKE)
    assert other.render(TURNS) == PromptRenderer(made_folder(tmp_path / "q", QWEN3_LIKE)).render(TURNS)
    assert other.fingerprint != PromptRenderer(folder).fingerprint


@pytest.mark.parametrize(("template", "words"), [("{% if %}", "does not compile"), ("", "has no chat template")])
def test_what_is_no_template_is_said(tmp_path: Path, template: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        PromptRenderer(made_folder(tmp_path, template)).render(TURNS)


def test_a_template_that_is_not_utf8_is_said(tmp_path: Path) -> None:
    folder = made_folder(tmp_path, MISTRAL_LIKE)
    (folder / "chat_template.jinja").write_bytes(b"\xff{{ messages }}")
    with pytest.raises(InputError, match="not UTF-8 at byte 0"):
        PromptRenderer(folder).render(TURNS)
