"""What is asked of a model with little context, of prompts that a template refuses, and of options that begin alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.asking import Asked, ask, prompt_sentences, refuse_too_long
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.option_clashes import option_sentences
from core.plan import Batch, Part, Plan
from core.records import Example
from core.rendering import CUT_TAG, check_variables, render_example, with_prompts
from core.requests import ScoreRequest, requests_of
from core.spec import FewShot, ModelRef, ModelSet, RunSpec, Settings, TaskSpec
from tests.chat_templates import MISTRAL_LIKE, OPENS_THINKING, QWEN3_LIKE, TURNS, made_folder
from tests.tiny import CHAT_TEMPLATE

CUT = Settings(too_long="truncate", max_new_tokens=16)
MARKS = ("<think>", "</think>")


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> PromptRenderer:
    """Of single bytes: one character is one token. The context holds 400."""
    return PromptRenderer(made_folder(tmp_path_factory.mktemp("made"), CHAT_TEMPLATE))


def reply(**changed: Any) -> TaskSpec:
    given = {"dataset": "d", "kind": "generation", "prompt": "{note} About {text}.", "reference": "answer"}
    return TaskSpec.model_validate(given | changed)


def one(**fields: Any) -> Example:
    return Example("t", "e1", "", {"note": "Say.", "text": "x", **fields}, "fine")


def lengths(asked: Asked) -> list[int]:
    return [len(request.prompt) for request in asked.requests]


def test_the_longest_field_loses_its_beginning_and_all_else_stays(renderer: PromptRenderer) -> None:
    task = reply(system="Be kind.", few_shot=(FewShot(fields={"note": "Say.", "text": "y"}, answer="yes"),))
    text = "".join(f"{k:04d} " for k in range(200))
    asked = ask(one(text=text), task, renderer, CUT)
    assert asked.cut is not None and not asked.refusals
    kept = asked.cut.fields["text"]
    assert text.endswith(kept) and asked.cut.fields["note"] == "Say."
    whole = render_example(one(text=kept), task, renderer)
    assert whole.startswith("<|im_start|>system\nBe kind.") and whole.endswith(
        f"Say. About {kept}.<|im_end|>\n<|im_start|>assistant\n"
    )
    assert max(lengths(asked)) + CUT.max_new_tokens == 400  # one character less would be one too many


@pytest.mark.parametrize("settings", [Settings(max_new_tokens=16), CUT.model_copy(update={"too_long": "fail"})])
def test_without_the_wish_nothing_is_cut(renderer: PromptRenderer, settings: Settings) -> None:
    asked = ask(one(text="x" * 900), reply(), renderer, settings)
    assert asked.cut is None and not asked.requests
    assert [refusal.too_long for refusal in asked.refusals] == [True, True]
    with pytest.raises(
        InputError,
        match=r"1 of 7 examples do not fit .* 'fail'\. The first: task t, example e1: prompt and answer need",
    ):
        refuse_too_long(asked.refusals, 7)


def test_what_fits_is_asked_as_ever(renderer: PromptRenderer) -> None:
    plain = ask(one(), reply(), renderer, Settings(max_new_tokens=16))
    assert ask(one(), reply(), renderer, CUT) == plain
    assert plain.requests == tuple(requests_of(one(), reply(), renderer))


def test_two_long_fields_and_a_reference_that_never_fits(renderer: PromptRenderer) -> None:
    both = ask(one(text="x" * 900, note="n" * 800), reply(), renderer, CUT)
    assert both.cut is not None
    assert both.cut.fields["text"] == "" and set(both.cut.fields["note"]) == {"n"}
    assert max(lengths(both)) + CUT.max_new_tokens == 400
    beyond = ask(Example("t", "e1", "", {"note": "", "text": "x" * 900}, "r" * 500), reply(), renderer, CUT)
    assert beyond.cut is None and beyond.refusals


def test_of_a_conversation_the_oldest_exchanges_go(renderer: PromptRenderer) -> None:
    task = reply(prompt=None, messages="turns")
    old = [
        {"role": "user", "content": f"q{k} " + "x" * 60} if k % 2 else {"role": "assistant", "content": "a"}
        for k in range(1, 12)
    ]
    asked = ask(one(turns=[TURNS[0], *old]), task, renderer, CUT)
    assert asked.cut is not None
    left = asked.cut.fields["turns"]
    assert left[0] == TURNS[0] and left[1:] == old[-len(left) + 1 :] and left[1]["role"] == "user"
    assert 300 < max(lengths(asked)) + CUT.max_new_tokens <= 400


def test_of_a_single_long_turn_the_beginning_goes(renderer: PromptRenderer) -> None:
    text = "".join(f"{k:04d} " for k in range(200))
    asked = ask(
        one(turns=[TURNS[0], {"role": "user", "content": text}]), reply(prompt=None, messages="turns"), renderer, CUT
    )
    assert asked.cut is not None
    assert text.endswith(asked.cut.fields["turns"][1]["content"])
    assert max(lengths(asked)) + CUT.max_new_tokens == 400


def spec_of(task: TaskSpec, settings: Settings = CUT) -> RunSpec:
    return RunSpec(
        id="r", created="2026-01-01T00:00:00+00:00", models=ModelSet(base=ModelRef(path="b")), datasets={}, tasks={"t": task},
        settings=settings,
    )  # fmt: skip


def test_a_cut_example_keeps_its_row_and_has_a_tag(renderer: PromptRenderer) -> None:
    long = one(text="x" * 900)
    asked = ask(long, reply(), renderer, CUT)
    assert asked.cut is not None
    shown = with_prompts([long], spec_of(reply()), renderer, [asked.cut])[0]
    assert shown.fields == long.fields and shown.tags == (CUT_TAG,)
    assert len(shown.prompt.encode()) < 420
    assert with_prompts([shown], spec_of(reply()), renderer, [asked.cut])[0] == shown
    told = list(prompt_sentences([long, one()], (), [asked.cut], 400))
    assert told == ["t: 1 of 2 prompts were cut at their beginning to fit the context of 400 tokens."]


def test_a_templates_refusal_is_one_examples_and_keeps_its_words(tmp_path: Path) -> None:
    renderer = PromptRenderer(made_folder(tmp_path, MISTRAL_LIKE))
    task = reply(prompt=None, messages="turns")
    asked = ask(one(turns=[TURNS[1], TURNS[1]]), task, renderer, CUT)
    assert [(refusal.item, "roles must alternate" in refusal.reason) for refusal in asked.refusals] == [
        ("", True), ("reference", True),
    ]  # fmt: skip
    assert ask(one(turns=TURNS), task, renderer, CUT).requests
    assert "1 of 1 examples cannot be asked; the first, e1: " in next(
        prompt_sentences([one()], asked.refusals, (), 400)
    )
    assert with_prompts([one(turns=[TURNS[1], TURNS[1]])], spec_of(task), renderer)[0].prompt == ""


def test_scores_follow_an_empty_closed_block_and_answers_do_not(tmp_path: Path) -> None:
    settings = Settings(thinking=MARKS)
    qwen = PromptRenderer(made_folder(tmp_path / "q", QWEN3_LIKE))
    generated, scored = (qwen.decode(r.prompt) for r in requests_of(one(), reply(), qwen, settings))
    assert generated.endswith("assistant\n") and scored.endswith("assistant\n<think>\n\n</think>\n\n")
    assert [r.prompt for r in requests_of(one(), reply(), qwen)][1] == qwen.encode(
        render_example(one(), reply(), qwen)
    ).ids
    wanted = reply(template_variables={"enable_thinking": True})
    assert qwen.decode(list(requests_of(one(), wanted, qwen, settings))[1].prompt).endswith("assistant\n")
    opened = PromptRenderer(made_folder(tmp_path / "o", OPENS_THINKING))
    generated, scored = (opened.decode(r.prompt) for r in requests_of(one(), reply(), opened, settings))
    assert generated.endswith("<think>\n") and scored.endswith("<think>\n\n</think>\n\n")


def test_template_variables_reach_the_template_and_unknown_ones_are_said(tmp_path: Path) -> None:
    renderer = PromptRenderer(made_folder(tmp_path, QWEN3_LIKE))
    task = reply(template_variables={"enable_thinking": False})
    assert render_example(one(), task, renderer).endswith("</think>\n\n")
    everywhere = Settings(template_variables={"enable_thinking": False})
    assert render_example(one(), reply(), renderer, settings=everywhere) == render_example(one(), task, renderer)
    check_variables({"t": task}, Settings(), renderer)
    with pytest.raises(InputError, match=r"does not look at 'enable_thinkin' \(did you mean 'enable_thinking'\?\)"):
        check_variables({"t": reply(template_variables={"enable_thinkin": False})}, Settings(), renderer)


def clashes(renderer: PromptRenderer, *options: str, template: str = "none") -> list[str]:
    given = {"dataset": "d", "kind": "classification", "prompt": "{text}", "options": options, "reference": "text"}
    task = TaskSpec.model_validate(given | {"template": template})
    example = Example("t", "e1", "", {"text": "x"}, options[0], options)
    requests = [r for r in requests_of(example, task, renderer) if isinstance(r, ScoreRequest)]
    return list(option_sentences(Plan((Part(0, (Batch("score", (tuple(requests),), 1),)),), ()), spec_of(task)))


def test_an_option_that_begins_another_is_said_where_no_token_ends_it(renderer: PromptRenderer) -> None:
    assert clashes(renderer, "red", "blue") == []
    assert "'red' is the beginning of 'red wine'" in clashes(renderer, "red wine", "blue", "red")[0]
    assert clashes(renderer, "red wine", "blue", "red", template="chat") == []


def test_options_of_the_same_tokens_are_said(renderer: PromptRenderer, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = renderer.encode
    monkeypatch.setattr(renderer, "encode", lambda text, **more: encode(text.lower(), **more))  # an uncased tokenizer
    assert "'Red' and 'red' are the same tokens" in clashes(renderer, "Red", "blue", "red", template="chat")[0]


@pytest.mark.parametrize(("prompt", "template", "asked"), [("{text}", "none", 2), ("{text}", "chat", 2)])
def test_an_empty_text_is_asked_after_the_start_or_within_its_template(
    renderer: PromptRenderer, prompt: str, template: str, asked: int
) -> None:
    found = ask(one(text=""), reply(prompt=prompt, template=template), renderer, CUT)
    assert len(found.requests) == asked
    assert template == "chat" or all(request.prompt == renderer.start_ids for request in found.requests)


def test_an_empty_option_and_characters_that_cannot_be_seen(renderer: PromptRenderer) -> None:
    task = TaskSpec(
        dataset="d", kind="classification", prompt="{text}", options="{o}", reference="text", template="none"
    )
    empty = ask(
        Example("t", "e1", "", {"text": "a\x00b"}, "a", ("a", "")),
        task.model_copy(update={"prompt": "{text} "}),
        renderer,
        CUT,
    )
    assert [refusal.reason for refusal in empty.refusals] == [
        "a reference or option is empty: it has no tokens to score"
    ]
    asked = ask(one(text="a\x00b\ufffd"), reply(), renderer, CUT)
    assert "a\x00b\ufffd" in renderer.decode(asked.requests[0].prompt)
