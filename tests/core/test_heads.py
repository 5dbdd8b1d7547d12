"""Which tasks a head answers, which output stands for which option, and what it is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.head_plan import with_heads, without_heads
from core.heads import Head, check_heads, find_heads, outputs_of, why_no_answer
from core.model_set import AdapterRef, HeadSpec, ModelRef, ModelSet
from core.plan import Plan
from core.records import BASELINE, Example
from core.requests import HeadRequest, Refusal
from core.spec import RunSpec, Settings, TaskSpec
from tests.core import mini

HEAD = Head(Path("head"), True, 3, ("Yes", "Maybe", "No"), None, None)


def task(kind: str, **more: object) -> TaskSpec:
    return mini.task(
        kind, **{"prompt": "{text}?"} | ({"prompt": "{text} {option}?"} if kind == "multilabel" else {}) | more
    )


@pytest.mark.parametrize(
    ("kind", "problem", "can"),
    [
        ("classification", None, True),
        ("classification", "single_label_classification", True),
        ("classification", "multi_label_classification", False),
        ("classification", "regression", False),
        ("multilabel", "multi_label_classification", True),
        ("multilabel", "single_label_classification", False),
        ("regression", "regression", True),
        ("regression", "single_label_classification", True),
        ("regression", "multi_label_classification", False),
    ],
)
def test_a_head_answers_what_it_was_trained_for(kind: str, problem: str, can: bool) -> None:
    options = {"options": (1, 2, 3)} if kind == "regression" else {}
    found = why_no_answer(replace(HEAD, problem=problem), task(kind, **options))  # type: ignore[arg-type]
    assert (found is None) is can
    assert can or "the head was trained to give" in str(found)


def test_options_are_found_by_name_without_regard_to_case() -> None:
    assert outputs_of(HEAD, ("no", " YES ")) == (2, 0)
    for labels, options in (
        (HEAD.labels, ("yes", "never")),
        (("a", "A", "b"), ("a", "b")),
        (HEAD.labels, ("no", "NO")),
    ):
        told = outputs_of(replace(HEAD, labels=labels), options)
        assert isinstance(told, str) and ", ".join(labels) in told and ", ".join(options) in told


def test_a_checkpoint_says_its_labels_and_what_it_was_trained_for(tmp_path: Path) -> None:
    config = {"architectures": ["LlamaForSequenceClassification"], "id2label": {"1": "bad", "0": "good"}}
    (tmp_path / "config.json").write_text(json.dumps(config | {"problem_type": "multi_label_classification"}))
    found = ModelSet(base=ModelRef(path="base"), checkpoints={"tagger": ModelRef(path="tagger")})
    head = find_heads(found, lambda name: Path(name), {"tagger": tmp_path})["tagger"]
    assert (head.labels, head.problem, head.n_outputs) == (("good", "bad"), "multi_label_classification", 2)
    (tmp_path / "config.json").write_text(json.dumps(config | {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}))
    assert find_heads(found, lambda name: Path(name), {"tagger": tmp_path})["tagger"].labels == ()
    (tmp_path / "config.json").write_text(json.dumps(config | {"problem_type": "guessing"}))
    with pytest.raises(InputError, match="problem_type: found 'guessing'; expected single_label_classification"):
        find_heads(found, lambda name: Path(name), {"tagger": tmp_path})
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    assert find_heads(found, lambda name: Path(name), {"tagger": tmp_path}) == {}
    told = ModelSet(base=found.base, checkpoints={"tagger": ModelRef(path="t", head=HeadSpec(text="{x}"))})
    with pytest.raises(
        InputError, match=r"has none: its architecture is LlamaForCausalLM, and expected \.\.\.ForSequenceClass"
    ):
        find_heads(told, lambda name: Path(name), {"tagger": tmp_path})


def test_a_head_that_answers_nothing_is_a_mistake_with_the_closest_reason() -> None:
    tasks = {"reply": task("generation"), "label": task("classification", options=("up", "down"))}
    with pytest.raises(
        InputError, match="'judge' is a classification head and answers none of the tasks; label: the head's labels"
    ):
        check_heads({"judge": HEAD}, tasks, {})
    check_heads({"judge": HEAD}, tasks | {"mood": task("classification")}, {"judge": AdapterRef(path="judge")})


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> PromptRenderer:
    """Single bytes; made here, since `tests.tiny` imports torch and heads are planned without it."""
    folder = tmp_path_factory.mktemp("tokenizer")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": 16}))
    return PromptRenderer(folder)


def planned(renderer: PromptRenderer, head: Head, spec: TaskSpec, texts: list[str], **settings: object) -> Plan:
    run = mini.spec({"t": spec}, ("judge",))
    run = RunSpec.model_validate(run.model_dump() | {"settings": Settings.model_validate(settings).model_dump()})
    examples = [Example("t", f"e{k}", "", {"text": text}, "yes", mini.LABELS) for k, text in enumerate(texts)]
    common = Plan((), (Refusal("t", "e0", "", "for others"),))
    return with_heads(common, examples, run, renderer, {"judge": head}, budget=24)


def test_a_head_is_asked_the_tasks_prompt_in_batches_of_its_own(renderer: PromptRenderer) -> None:
    plan = planned(renderer, HEAD, task("classification"), ["abc", "abcdefghi", "abcde"])
    asked = [request for part in plan.parts for batch in part.batches for request in batch.requests]
    assert all(isinstance(request, HeadRequest) for request in asked)
    assert {one.example_id: one.prompt for one in asked}["e0"] == renderer.encode("abc?").ids  # type: ignore[union-attr]
    assert [len(batch.rows) for part in plan.parts for batch in part.batches] == [2, 1], "10 and 6 fit 24 together"
    assert {part.variants for part in plan.parts} == {("judge",)}
    assert [refusal.variants for refusal in plan.refusals] == [(BASELINE,)], (
        "a head is told nothing of what others cannot"
    )


@pytest.mark.parametrize(
    ("kind", "head", "text", "reason"),
    [
        ("classification", {}, "", "the text is empty"),
        ("classification", {}, "a" * 40, "the text needs 40 tokens; the head's context holds 16"),
        ("multilabel", {"text": None}, "abc", "the task's prompt asks about one tag at a time"),
        ("generation", {}, "abc", "a classification head gives no text"),
    ],
)
def test_what_cannot_be_asked_has_a_reason_for_each_item(
    renderer: PromptRenderer, kind: str, head: dict[str, str | None], text: str, reason: str
) -> None:
    plan = planned(renderer, replace(HEAD, **{"text": "{text}", **head}), task(kind), [text])
    own = [refusal for refusal in plan.refusals if refusal.variants == ("judge",)]
    assert len(own) == {"multilabel": 3, "generation": 2}.get(kind, 1)
    assert own[0].reason.startswith(reason) and not plan.parts
    assert without_heads(plan.refusals) == [one for one in plan.refusals if one not in own]


def test_a_long_text_is_cut_where_the_settings_say_so(renderer: PromptRenderer) -> None:
    plan = planned(renderer, HEAD, task("classification"), ["a" * 20 + "end"], too_long="truncate")
    asked = plan.parts[0].batches[0].requests[0]
    assert isinstance(asked, HeadRequest) and asked.prompt == renderer.encode("a" * 12 + "end?").ids
    with pytest.raises(InputError, match=r"1 of 1 examples do not fit"):
        planned(renderer, HEAD, task("classification"), ["a" * 40], too_long="fail")


def test_the_parts_name_holds_which_output_is_which_option(renderer: PromptRenderer) -> None:
    one, other = (
        planned(renderer, replace(HEAD, labels=labels), task("classification"), ["abc"]).fingerprint
        for labels in (("Yes", "Maybe", "No"), ("No", "Maybe", "Yes"))
    )
    assert one != other
