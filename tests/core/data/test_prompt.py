"""Prompts and tokens are those that transformers makes, without it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from core.data.prompt import PromptRenderer, fill, free_marks, take_marks
from core.errors import InputError
from tests.tiny import make_tokenizer

CONVERSATIONS = [
    [{"role": "user", "content": "Hello"}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "多少钱? <b>{{ 7*7 }}</b>"}],
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b\n"}, {"role": "user", "content": "  c  "}],
]
TEMPLATES = {
    "chatml": "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "blocks and whitespace": "{%- for m in messages %}\n    {%- if m.role == 'system' %}\n[S] {{ m.content }}\n    {% else %}\n"
    "{{ bos_token }}[{{ m.role | upper }}] {{ m.content | trim }}{{ eos_token }}\n    {%- endif %}\n{%- endfor %}\n",
    "generation tag": "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{{ eos_token }}"
    "{% endgeneration %}{% else %}{{ m.role }}: {{ m.content }}\n{% endif %}{% endfor %}",
    "loop controls, json": "{% for m in messages %}{% if loop.index0 > 5 %}{% break %}{% endif %}{{ m | tojson }}\n{% endfor %}",
}


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=["one turn", "system, Chinese", "three turns"])
def test_render_and_encode_equal_transformers(tmp_path: Path, name: str, conversation: list[dict[str, str]]) -> None:
    from transformers import AutoTokenizer

    make_tokenizer(tmp_path)
    (tmp_path / "chat_template.jinja").write_text(TEMPLATES[name], encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    expected = theirs.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True)
    ours = PromptRenderer(tmp_path)
    assert ours.render(conversation) == expected
    assert list(ours.encode(expected).ids) == theirs(expected, add_special_tokens=False).input_ids


def test_a_template_runs_in_the_sandbox(tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    attack = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    (tmp_path / "chat_template.jinja").write_text(attack)
    with pytest.raises(InputError, match="refused this conversation"):
        PromptRenderer(tmp_path).render(CONVERSATIONS[0])


def test_a_template_may_refuse_in_its_own_words(tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("{{ raise_exception('roles must alternate') }}")
    with pytest.raises(InputError, match="roles must alternate"):
        PromptRenderer(tmp_path).render(CONVERSATIONS[0])


def test_missing_tokenizer_and_template_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no tokenizer\.json"):
        PromptRenderer(tmp_path)
    make_tokenizer(tmp_path)
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(InputError, match="template: none"):
        PromptRenderer(tmp_path).render(CONVERSATIONS[0])


def test_a_broken_tokenizer_is_said(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": 3}))
    with pytest.raises(InputError, match="the tokenizer cannot be read"):
        PromptRenderer(tmp_path)


def test_ends_and_starts(tmp_path: Path) -> None:
    size = make_tokenizer(tmp_path)
    renderer = PromptRenderer(tmp_path)
    assert renderer.end_of_turn_ids == (size - 1,)
    assert renderer.start_ids == (size - 2,)
    assert renderer.stop_ids == {size - 1}


def test_starts_are_characters(tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    assert PromptRenderer(tmp_path).encode("a中b").starts == (0, 1, 1, 1, 2)


def test_fill_leaves_other_braces_and_names_what_is_missing() -> None:
    assert fill('{a} {"k": {b}} {}', {"a": "{b}", "b": [1]}, "here") == '{b} {"k": [1]} {}'
    with pytest.raises(InputError, match=r"here: the prompt names the field 'c'; the row has 'a'"):
        fill("{c}", {"a": 1}, "here")


def test_tools_reach_the_template(tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("{% if tools %}{{ tools | tojson }}{% else %}none{% endif %}")
    ours = PromptRenderer(tmp_path)
    assert ours.render(CONVERSATIONS[0]) == "none"
    assert ours.render(CONVERSATIONS[0], tools=[{"name": "search"}]) == '[{"name": "search"}]'


def test_a_conversation_that_a_template_was_not_written_for_is_refused(tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("{{ 'user: ' + messages[0]['content'] }}")
    with pytest.raises(InputError, match="refused this conversation"):
        PromptRenderer(tmp_path).render([{"role": "user", "content": None}])


def test_generated_spans_are_what_stands_in_the_tags(tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    (tmp_path / "chat_template.jinja").write_text(TEMPLATES["generation tag"])
    ours = PromptRenderer(tmp_path)
    text = ours.render(CONVERSATIONS[2], add_generation_prompt=False)
    assert ours.marks_generation
    assert [text[start:end] for start, end in ours.generated_spans(CONVERSATIONS[2])] == ["b\n<|im_end|>"]


def test_marks_stand_nowhere_in_the_text_and_come_out_again() -> None:
    opening, closing = free_marks({"content": "\ufdd0 a \ufdd2"})
    assert (opening, closing) == ("\ufdd1", "\ufdd3")
    assert take_marks(f"a{opening}bc{closing}d{opening}{closing}", (opening, closing)) == ("abcd", ((1, 3), (4, 4)))
    with pytest.raises(InputError, match="U\\+FDD0 to U\\+FDEF"):
        free_marks("".join(map(chr, range(0xFDD0, 0xFDF0))))


def test_marks_that_are_special_tokens_stay_in_a_text_where_they_are_wanted(tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    plain = PromptRenderer(tmp_path)
    plain.tokenizer.add_special_tokens(["<think>", "</think>"])
    plain.tokenizer.add_tokens(["<answer>"])
    plain.tokenizer.save(str(tmp_path / "tokenizer.json"))
    plain = PromptRenderer(tmp_path)
    ids = plain.encode("<|im_start|><think>hm 中\n</think>\n yes<answer><|im_end|>").ids
    assert plain.decode(ids) == "hm 中\n\n yes<answer>"
    kept = plain.keeping(("<think>", "</think>"))
    assert kept.decode(ids) == "<think>hm 中\n</think>\n yes<answer>"
    assert kept.fingerprint != plain.fingerprint == PromptRenderer(tmp_path).fingerprint
    assert plain.keeping(("<answer>", "[T]")) is plain
    assert pickle.loads(pickle.dumps(kept)).decode(ids) == kept.decode(ids)
