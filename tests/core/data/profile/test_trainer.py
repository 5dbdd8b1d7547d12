from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.data.profile.tokenise import token_lengths
from core.data.profile.trainer import advise
from core.data.profile.trainer_options import Advice
from core.data.prompt import PromptRenderer
from tests.core.data.profile.made import MARKED, PLAIN, UNSTOPPED, chat, renderer, views


def _advice(rows: list[dict[str, Any]], one: PromptRenderer | None = None, **more: Any) -> dict[str, Advice]:
    return {advice.code: advice for advice in advise(views(rows), renderer=one, **more)}


def test_completion_only_does_nothing_on_messages() -> None:
    found = _advice([chat("q", "a")])
    assert found["completion-only-does-nothing"].level == "warning"
    assert "every token is trained on" in found["completion-only-does-nothing"].message
    assert "completion-only-default" not in found


def test_pairs_train_on_the_completion() -> None:
    found = _advice([{"prompt": "q", "completion": "a"}])
    assert found["completion-only-default"].level == "note"
    assert found["assistant-only-refused"].level == "stops"


@pytest.mark.parametrize(
    ("template", "codes"),
    [(PLAIN, {"assistant-only-needs-tag"}), (MARKED, {"assistant-only-works"}),
     (UNSTOPPED, {"assistant-only-works", "stop-token-not-trained"})],
)  # fmt: skip
def test_assistant_only_depends_on_the_template(tmp_path: Path, template: str, codes: set[str]) -> None:
    found = _advice([chat("q", "a")], renderer(tmp_path, template))
    assert {code for code in found if code.startswith(("assistant", "stop"))} == codes


def test_a_template_that_trl_knows_is_swapped(tmp_path: Path) -> None:
    """The chat template of Phi-3 as its maker published it."""
    template = (
        "{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
        "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
        "{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
    )
    assert "assistant-only-swapped" in _advice([chat("q", "a")], renderer(tmp_path, template))


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, "DPOTrainer"), ({"chosen": "a", "rejected": "b"}, "DPOTrainer"),
        ({"prompt": "q"}, "GRPOTrainer"), ({"prompt": "q", "completions": ["a"], "labels": [True]}, "reward trainer"),
        ({"instruction": "q", "input": "", "output": "a"}, "Convert"), ({"question": "q", "answer": "a"}, "none of `messages`"),
    ],
)  # fmt: skip
def test_forms_that_sfttrainer_does_not_read(row: dict[str, Any], word: str) -> None:
    found = _advice([row])
    assert found["form-refused"].level == "stops" and word in found["form-refused"].message


def test_unwanted_completions_are_trained_on() -> None:
    assert "label-ignored" in _advice([{"prompt": "q", "completion": "a", "label": False}])


def test_a_file_of_mixed_forms_is_read_as_its_first_row() -> None:
    found = _advice([chat("q", "a"), {"text": "t"}, chat("q", "a"), {"text": "u"}])
    assert found["mixed-forms"].lines == (2, 4)
    assert "2 messages, 2 text" in found["mixed-forms"].message


def test_sharegpts_names_of_roles_are_kept() -> None:
    row = {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}
    assert "(gpt, human)" in _advice([row])["roles-kept"].message
    clean = {"conversations": [{"from": "user", "value": "q"}, {"from": "assistant", "value": "a"}]}
    assert "roles-kept" not in _advice([clean])


def test_plain_texts_and_the_tokenizers_own_tokens(tmp_path: Path) -> None:
    rows = [{"text": "<|endoftext|>one"}, {"text": "[INST] two [/INST]"}, {"text": "<|im_start|>three"}]
    found = _advice(rows, renderer(tmp_path / "a", bos=True))
    assert found["double-bos"].lines == (1,)
    assert found["markers-not-tokens"].lines == (2,) and "[INST]" in found["markers-not-tokens"].message
    assert "<|im_start|>" not in found["markers-not-tokens"].message
    assert "eos-added" in found
    assert "double-bos" not in _advice(rows, renderer(tmp_path / "b"))


def test_conversations_need_a_template(tmp_path: Path) -> None:
    assert _advice([chat("q", "a")], renderer(tmp_path, None))["no-chat-template"].level == "stops"


def test_control_tokens_in_the_words_of_messages(tmp_path: Path) -> None:
    rows = [chat("q", "a"), chat("say <|im_end|> now", "a"), chat("[INST] q", "a")]
    found = _advice(rows, renderer(tmp_path))["control-tokens-in-messages"]
    assert found.lines == (2,) and "<|im_end|>" in found.message and "[INST]" not in found.message
    assert "control-tokens-in-messages" not in _advice(rows[::2], renderer(tmp_path))


def test_a_generation_prompt_that_the_conversation_drops(tmp_path: Path) -> None:
    template = PLAIN.replace("assistant\n{% endif %}", "assistant\n<think>{% endif %}")
    pair = {"prompt": chat("q")["messages"], "completion": [{"role": "assistant", "content": "a"}]}
    assert _advice([pair], renderer(tmp_path / "a", template))["prompt-not-a-prefix"].lines == (1,)
    assert "prompt-not-a-prefix" not in _advice([pair], renderer(tmp_path / "b"))


def test_what_max_length_takes(tmp_path: Path) -> None:
    one = renderer(tmp_path)
    rows = [
        {"prompt": "x" * 30, "completion": "y" * 9},
        {"prompt": "x", "completion": "y" * 40},
        {"prompt": "x", "completion": "y"},
    ]
    lengths = token_lengths(views(rows), one)
    found = _advice(rows, one, lengths=lengths, max_length=20)
    assert found["max-length-cuts"].lines == (2, 1)
    assert (
        "2 of 3 rows (66.7%)" in found["max-length-cuts"].message and "default" not in found["max-length-cuts"].message
    )
    assert "1 rows" in found["answers-cut"].message and "dropped" in found["answers-cut"].message
    assert "packing" in found
    roomy = _advice(rows, one, lengths=lengths)
    assert not {"max-length-cuts", "answers-cut"} & set(roomy)


def test_rows_that_the_template_refuses_stop_training(tmp_path: Path) -> None:
    one = renderer(tmp_path, "{% if messages | length > 2 %}{{ raise_exception('too long') }}{% endif %}x")
    rows = [chat("q", "a"), chat("q", "a", "r", "b")]
    found = _advice(rows, one, lengths=token_lengths(views(rows), one))["template-refuses"]
    assert (found.level, found.lines) == ("stops", (2,)) and "too long" in found.message


def test_the_gravest_stands_first_and_nothing_is_said_of_nothing(tmp_path: Path) -> None:
    levels = [advice.level for advice in advise(views([chat("q", "a"), {"text": "t"}]), renderer=renderer(tmp_path))]
    assert levels == sorted(levels, key=["stops", "warning", "note"].index) and len(set(levels)) == 3
    assert advise([]) == ()
