from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.data.profile.mask import ALL, ASSISTANT, COMPLETION, NO_TAG, Mask, RenderedExample, render_example
from core.data.prompt import PromptRenderer
from core.errors import InputError
from tests.core.data.profile.made import MARKED, PLAIN, UNSTOPPED, chat, renderer, view


def _text(example: RenderedExample, mask: Mask) -> str:
    assert mask.trained is not None
    return "".join(token.text for token, trained in zip(example.tokens, mask.trained, strict=True) if trained)


def test_assistant_only_trains_on_what_the_template_marks(tmp_path: Path) -> None:
    one = renderer(tmp_path, MARKED)
    row = chat("assistant\nhi", "first 😀", "again", "second", system="s")
    example = render_example(view(row), one)
    assert "".join(token.text for token in example.tokens) == one.render(row["messages"], add_generation_prompt=False)
    assert _text(example, example.masks[ASSISTANT]) == "first 😀<|im_end|>second<|im_end|>"
    assert example.masks[ASSISTANT].note is None
    assert example.masks[ALL].n_trained == example.n_tokens == len(example.tokens)


def test_roles_and_special_tokens_are_shown(tmp_path: Path) -> None:
    example = render_example(view(chat("ab", "cd", system="s")), renderer(tmp_path, MARKED))
    assert "".join(token.text for token in example.tokens if token.role == "user") == "ab"
    assert "".join(token.text for token in example.tokens if token.role == "assistant") == "cd"
    assert {token.text for token in example.tokens if token.special} == {"<|im_start|>", "<|im_end|>"}
    assert all(token.role is None for token in example.tokens if token.special)


def test_a_template_without_the_tag_has_no_assistant_mask_and_says_so(tmp_path: Path) -> None:
    mask = render_example(view(chat("q", "a")), renderer(tmp_path, PLAIN)).masks[ASSISTANT]
    assert mask.trained is None
    assert mask.note == NO_TAG == "assistant-only mask not defined by this template"


def test_completion_only_on_messages_trains_on_everything_and_says_so(tmp_path: Path) -> None:
    example = render_example(view(chat("q", "a")), renderer(tmp_path))
    mask = example.masks[COMPLETION]
    assert mask.trained is not None and all(mask.trained)
    assert "does nothing on `messages`" in str(mask.note)


def test_completion_only_on_pairs(tmp_path: Path) -> None:
    one = renderer(tmp_path, bos=True)
    example = render_example(view({"prompt": "ask ", "completion": "say"}), one)
    assert _text(example, example.masks[COMPLETION]) == "say<|im_end|>"
    assert example.tokens[0].text == "<|endoftext|>" and example.tokens[0].special
    assert example.masks[ASSISTANT].trained is None and "plain texts" in str(example.masks[ASSISTANT].note)
    pair = {"prompt": chat("q", system="s")["messages"], "completion": [{"role": "assistant", "content": "a"}]}
    spoken = render_example(view(pair), one)
    assert _text(spoken, spoken.masks[COMPLETION]) == "a<|im_end|>\n"


def test_a_prompt_whose_generation_prompt_differs_begins_where_the_tokens_differ(tmp_path: Path) -> None:
    template = PLAIN.replace("assistant\n{% endif %}", "assistant\n<think>{% endif %}")
    pair = {"prompt": chat("q")["messages"], "completion": [{"role": "assistant", "content": "a"}]}
    example = render_example(view(pair), renderer(tmp_path, template))
    assert _text(example, example.masks[COMPLETION]) == "a<|im_end|>\n"
    assert "7 tokens before the prompt's end" in str(example.masks[COMPLETION].note)


@pytest.mark.parametrize(("length", "cut"), [(5, 5), (1000, None)])
def test_the_cut_is_where_max_length_falls(tmp_path: Path, length: int, cut: int | None) -> None:
    example = render_example(view({"text": "abcdefgh"}), renderer(tmp_path), max_length=length)
    assert example.cut == cut
    assert example.masks[ALL].n_trained_after_cut == min(length, 9)


def test_a_length_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        render_example(view({"text": "x"}), renderer(tmp_path), max_length=0)


def test_a_refused_conversation_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="refused this conversation: 'dict object' has no attribute 'name'"):
        render_example(view(chat("q", "a")), renderer(tmp_path, "{{ messages[0].name.upper() }}"))


def test_a_conversation_without_marked_words_says_so(tmp_path: Path) -> None:
    mask = render_example(view(chat("q")), renderer(tmp_path, MARKED)).masks[ASSISTANT]
    assert mask.n_trained == 0 and "stops at such a row" in str(mask.note)


def test_very_long_rows_are_shown_in_part(tmp_path: Path) -> None:
    example = render_example(view({"text": "x" * 30_000}), renderer(tmp_path), max_length=40_000)
    assert len(example.tokens) == 20_000 and example.n_tokens == 30_001
    assert "30,001 tokens" in example.notes[0]


CONTENT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> PromptRenderer:
    return renderer(tmp_path_factory.mktemp("marked"), MARKED)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CONTENT, min_size=1, max_size=5))
def test_spans_of_any_conversation_are_those_of_the_template(marked: PromptRenderer, texts: list[str]) -> None:
    row: dict[str, Any] = chat(*texts)
    rendered = marked.render(row["messages"], add_generation_prompt=False)
    spans = [rendered[start:end] for start, end in marked.generated_spans(row["messages"])]
    assert spans == [text + "<|im_end|>" for text in texts[1::2]]


@pytest.mark.parametrize(
    "row",
    [chat("hello", "yes 😀", system="s"), chat("你好吗", "我很好", "再见", "再见！"), chat("", "", "x", " \n padded \n"),
     chat("a", "assistant")],
)  # fmt: skip
@pytest.mark.parametrize("template", [MARKED, UNSTOPPED])
def test_the_assistant_mask_is_that_of_transformers(tmp_path: Path, row: dict[str, Any], template: str) -> None:
    from transformers import PreTrainedTokenizerFast

    one = renderer(tmp_path, template)
    theirs = PreTrainedTokenizerFast(tokenizer_object=one.tokenizer, eos_token="<|im_end|>", bos_token="<|endoftext|>")
    expected: Any = theirs.apply_chat_template(
        row["messages"], chat_template=template, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    example = render_example(view(row), one)
    assert [token.id for token in example.tokens] == expected["input_ids"]
    trained = example.masks[ASSISTANT].trained
    assert trained is not None and [int(bit) for bit in trained] == expected["assistant_masks"]
