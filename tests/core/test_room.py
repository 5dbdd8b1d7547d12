"""What cannot be asked for want of room beside virtual tokens, or of an embedding for a token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.asking import ask, prompt_sentences, refuse_too_long
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.model_set import AdapterRef, ModelRef, ModelSet, ServedRef, ServerSpec
from core.plan import make_plan
from core.records import Example
from core.requests import GenerateRequest
from core.served.plan import with_conversations
from core.spec import RunSpec, Settings, TaskSpec
from core.virtual_tokens import find_virtual_tokens
from tests.chat_templates import made_folder
from tests.tiny import CHAT_TEMPLATE

CONTEXT = 400
TASK = TaskSpec.model_validate({"dataset": "d", "kind": "generation", "prompt": "{text}", "reference": "answer"})
SKIP = Settings(max_new_tokens=16)
VIRTUAL = {"soft": 20, "softer": 30}


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> PromptRenderer:
    """Of single bytes: one character is one token."""
    return PromptRenderer(made_folder(tmp_path_factory.mktemp("made"), CHAT_TEMPLATE))


def one(name: str, text: str) -> Example:
    return Example("t", name, "", {"text": text}, "fine")


def leaving(room: int, renderer: PromptRenderer) -> Example:
    """Return an example beside whose prompt and answer so many tokens are free."""
    empty = next(iter(ask(one("e", ""), TASK, renderer, SKIP).requests))
    return one(f"leaves-{room}", "x" * (CONTEXT - len(empty.prompt) - SKIP.max_new_tokens - room))


def spec_of(settings: Settings = SKIP, **models: Any) -> RunSpec:
    adapters = {name: AdapterRef(path=name) for name in ("lora", *VIRTUAL)}
    return RunSpec(
        id="r", created="2026-01-01T00:00:00+00:00", models=ModelSet(base=ModelRef(path="b"), adapters=adapters, **models),
        datasets={}, tasks={"t": TASK}, settings=settings,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("room", "lacking"), [(30, set()), (29, {"softer"}), (20, {"softer"}), (19, {"soft", "softer"})]
)
def test_virtual_tokens_take_room_from_their_own_variant(
    renderer: PromptRenderer, room: int, lacking: set[str]
) -> None:
    asked = ask(leaving(room, renderer), TASK, renderer, SKIP, VIRTUAL)
    answer = next(request for request in asked.requests if isinstance(request, GenerateRequest))
    assert asked.lacking(answer) == lacking
    told = [one for one in asked.refusals if one.item == answer.item]
    assert {variant for one in told for variant in one.variants or ()} == lacking
    for refusal in told:
        count = refusal.virtual_tokens
        assert (
            refusal.too_long
            and refusal.reason
            == f"prompt and answer need {CONTEXT - room} tokens and the adapter's virtual tokens "
            f"{count} more; the model's context holds 400"
        )


def test_the_others_are_asked_in_parts_of_their_own_and_what_fits_as_ever(renderer: PromptRenderer) -> None:
    fits, tight = one("fits", "hello"), leaving(25, renderer)
    plan = make_plan([fits, tight], spec_of(), renderer, batch_tokens=256, virtual_tokens=VIRTUAL)
    own = [part for part in plan.parts if part.variants is not None]
    assert [part.variants for part in own] == [("baseline", "lora", "soft")]
    assert [(one.example_id, type(one).__name__) for one in _requests(own[0])] == [(tight.id, "GenerateRequest")]
    shared = [request for part in plan.parts if part.variants is None for request in _requests(part)]
    assert {(one.example_id, type(one).__name__) for one in shared} == {
        ("fits", "GenerateRequest"), ("fits", "ScoreRequest"), (tight.id, "ScoreRequest"),
    }  # fmt: skip  # the reference is shorter than an answer may be
    without = make_plan([fits], spec_of(), renderer, batch_tokens=256)
    assert make_plan([fits], spec_of(), renderer, batch_tokens=256, virtual_tokens=VIRTUAL).parts == without.parts
    (told,) = prompt_sentences([fits, tight], plan.refusals, (), renderer.context_length)
    assert told.startswith(
        "t, softer: 1 of 2 examples do not fit into the context of 400 tokens beside the adapter's 30 virtual tokens"
    )


def test_a_variant_that_takes_conversations_is_not_asked_those_parts(renderer: PromptRenderer) -> None:
    models = {
        "servers": {"s": ServerSpec(url="http://127.0.0.1:1/v1")},
        "served": {"far": ServedRef(server="s", model="m")},
    }
    spec, tight = spec_of(**models), leaving(25, renderer)
    plan = make_plan([tight], spec, renderer, batch_tokens=256, virtual_tokens=VIRTUAL)
    named = [part.variants for part in with_conversations(plan, [tight], spec).parts]
    assert named == [None, ("baseline", "lora", "soft"), ("far",)]
    assert "far" in spec.models.variants


def test_what_is_cut_is_cut_for_all_and_what_may_not_be_too_long_is_refused(renderer: PromptRenderer) -> None:
    tight = leaving(5, renderer)
    asked = ask(tight, TASK, renderer, SKIP.model_copy(update={"too_long": "truncate"}), VIRTUAL)
    assert asked.cut is not None and not asked.refusals
    assert len(tight.fields["text"]) - len(asked.cut.fields["text"]) == 30 - 5
    with pytest.raises(InputError, match=r"1 of 1 examples do not fit .* and the adapter's virtual tokens 20 more"):
        refuse_too_long(ask(tight, TASK, renderer, SKIP, VIRTUAL).refusals, 1)


def test_virtual_tokens_are_those_of_adapters_that_learn_a_prompt(tmp_path: Path) -> None:
    configs = {
        "lora": {"peft_type": "LORA", "num_virtual_tokens": 9}, "soft": {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 20},
        "off": {"peft_type": "PREFIX_TUNING", "num_virtual_tokens": 4}, "broken": None,
    }  # fmt: skip
    for name, config in configs.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "adapter_config.json").write_text("{" if config is None else json.dumps(config))
    refs = {name: AdapterRef(path=name, scale=0.0 if name == "off" else 1.0) for name in configs}
    models = ModelSet(base=ModelRef(path="b"), adapters=refs)
    assert find_virtual_tokens(models, lambda name: tmp_path / name) == {"soft": 20}


def test_a_token_without_an_embedding_costs_its_example_and_is_named(tmp_path: Path) -> None:
    folder = made_folder(tmp_path, CHAT_TEMPLATE)
    renderer = PromptRenderer(folder)
    size = renderer.tokenizer.get_vocab_size()
    renderer.tokenizer.add_tokens(["<tool>"])
    renderer.tokenizer.save(str(folder / "tokenizer.json"))
    told = {"model_type": "llama", "max_position_embeddings": CONTEXT}

    def asked(example: Example, **config: Any) -> list[str]:
        (folder / "config.json").write_text(json.dumps(told | config))
        return [refusal.reason for refusal in ask(example, TASK, PromptRenderer(folder), SKIP).refusals]

    sentence = (
        f"it has the token '<tool>', number {size}, and the model's embeddings end before number {size}: the tokenizer in {folder} "
        "is larger than the model"
    )
    assert asked(one("e", "a <tool>"), vocab_size=size) == [sentence, sentence]
    assert asked(one("e", "a tool"), vocab_size=size) == []
    assert asked(one("e", "a <tool>"), vocab_size=size + 1) == asked(one("e", "a <tool>")) == []
    assert asked(one("e", "a <tool>"), text_config={"vocab_size": size}) == [sentence, sentence]
    answer = Example("t", "e", "", {"text": "a"}, "say <tool>")
    assert asked(answer, vocab_size=size) == [sentence]  # it can be answered, and its reference cannot be scored


def _requests(part: Any) -> list[Any]:
    return [request for batch in part.batches for request in batch.requests]
