"""The plan of batches: fixed by the spec, sharing what can be shared, refusing what cannot be asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.data.prompt import PromptRenderer
from core.data.read import load_examples
from core.errors import InputError
from core.plan import Plan, make_plan, tree_size
from core.records import Example
from core.rendering import render_example, with_prompts
from core.requests import GenerateRequest, Request, ScoreRequest
from core.spec import AnswerRule, FewShot, RunSpec, Settings, TaskSpec
from core.workspace import Workspace, load_workspace
from tests.tiny import make_workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return load_workspace(make_workspace(tmp_path_factory.mktemp("plan"), n=10, adapters=0))


@pytest.fixture(scope="module")
def renderer(workspace: Workspace) -> PromptRenderer:
    return PromptRenderer(workspace.folder / "base")


def spec_of(workspace: Workspace, **tasks: TaskSpec) -> RunSpec:
    spec = workspace.spec
    return RunSpec(
        id="x", created="2026-01-01T00:00:00+00:00", models=spec.models, datasets=spec.datasets, tasks=tasks or spec.tasks,
        settings=spec.settings,
    )  # fmt: skip


def examples_of(workspace: Workspace, spec: RunSpec) -> list[Example]:
    return [example for name in spec.tasks for example in load_examples(workspace, name)]


def requests_of(plan: Plan) -> list[Request]:
    return [request for part in plan.parts for batch in part.batches for request in batch.requests]


def test_everything_is_asked_once_and_the_plan_is_always_the_same(
    workspace: Workspace, renderer: PromptRenderer
) -> None:
    spec = spec_of(workspace)
    examples = examples_of(workspace, spec)
    plan = make_plan(examples, spec, renderer, batch_tokens=256)
    asked = [(type(r).__name__, r.task, r.example_id, r.item) for r in requests_of(plan)]
    assert len(asked) == len(set(asked)) == 10 * (1 + 1 + 3 + 1 + 2 + 1)
    again = make_plan(examples, spec, PromptRenderer(renderer.folder), batch_tokens=256)
    assert [part.fingerprint for part in plan.parts] == [part.fingerprint for part in again.parts]


def test_all_that_is_asked_of_one_example_shares_a_row(workspace: Workspace, renderer: PromptRenderer) -> None:
    spec = spec_of(workspace)
    plan = make_plan(examples_of(workspace, spec), spec, renderer, batch_tokens=256)
    for part in plan.parts:
        for batch in part.batches:
            if batch.kind == "score":
                for row in batch.rows:
                    scored = [request for request in row if isinstance(request, ScoreRequest)]
                    assert len({request.example_id for request in scored}) == 1
                    alone = sum(len(r.prompt) + len(c.ids) - 1 for r in scored for c in r.continuations)
                    assert tree_size(scored) < alone / 2


def test_batches_keep_to_the_budget_and_go_from_long_to_short(workspace: Workspace, renderer: PromptRenderer) -> None:
    spec = spec_of(workspace)
    plan = make_plan(examples_of(workspace, spec), spec, renderer, batch_tokens=700)
    batches = [batch for part in plan.parts for batch in part.batches if batch.kind == "score"]
    assert all(batch.tokens <= 700 or len(batch.rows) == 1 for batch in batches)
    assert any(len(batch.rows) > 1 for batch in batches)
    widths = [batch.tokens // len(batch.rows) for batch in batches]
    assert widths == sorted(widths, reverse=True)


def test_an_answer_ends_with_the_turns_end_and_knows_where_its_tokens_start(
    workspace: Workspace, renderer: PromptRenderer
) -> None:
    spec = spec_of(workspace, reply=workspace.spec.tasks["reply"])
    plan = make_plan(examples_of(workspace, spec), spec, renderer, batch_tokens=256)
    likelihood = next(r for r in requests_of(plan) if isinstance(r, ScoreRequest))
    answer = likelihood.continuations[0]
    assert answer.ids[-1:] == renderer.end_of_turn_ids
    assert answer.starts == (*range(len(answer.text)), len(answer.text))
    assert answer.n_bytes == len(answer.text.encode())


def test_plain_text_starts_after_the_start_token_and_has_no_end(workspace: Workspace, renderer: PromptRenderer) -> None:
    spec = spec_of(workspace, plain=workspace.spec.tasks["plain"])
    request = requests_of(make_plan(examples_of(workspace, spec), spec, renderer, batch_tokens=256))[0]
    assert isinstance(request, ScoreRequest)
    assert request.prompt == renderer.start_ids
    assert renderer.decode(request.continuations[0].ids) == request.continuations[0].text


def test_a_generated_classification_asks_for_a_text_alone(workspace: Workspace, renderer: PromptRenderer) -> None:
    task = workspace.spec.tasks["colour"].model_copy(update={"answer": AnswerRule(rule="option")})
    spec = spec_of(workspace, colour=task)
    assert {
        type(r) for r in requests_of(make_plan(examples_of(workspace, spec), spec, renderer, batch_tokens=256))
    } == {GenerateRequest}


def test_few_shot_examples_and_the_system_prompt_stand_before_the_question(
    workspace: Workspace, renderer: PromptRenderer
) -> None:
    task = workspace.spec.tasks["colour"].model_copy(
        update={"system": "Be brief.", "few_shot": (FewShot(fields={"text": "the sea"}, answer="blue"),)}
    )
    example = load_examples(workspace, "colour")[0]
    assert render_example(example, task, renderer) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nthe sea colour?<|im_end|>\n<|im_start|>assistant\nblue<|im_end|>\n"
        f"<|im_start|>user\n{example.fields['text']} colour?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_without_a_template_they_stand_before_it_as_text(workspace: Workspace, renderer: PromptRenderer) -> None:
    task = workspace.spec.tasks["colour"].model_copy(
        update={
            "template": "none",
            "system": "Be brief.",
            "few_shot": (FewShot(fields={"text": "the sea"}, answer="blue"),),
        }
    )
    example = load_examples(workspace, "colour")[0]
    expected = f"Be brief.\n\nthe sea colour? blue\n\n{example.fields['text']} colour?"
    assert render_example(example, task, renderer) == expected


def test_a_likelihood_without_a_prompt_needs_no_template(workspace: Workspace, renderer: PromptRenderer) -> None:
    task = workspace.spec.tasks["plain"].model_copy(update={"template": "chat"})
    spec = spec_of(workspace, plain=task)
    request = requests_of(make_plan(examples_of(workspace, spec), spec, renderer, batch_tokens=256))[0]
    assert request.prompt == renderer.start_ids


def test_a_prompt_that_names_a_missing_field_says_where(workspace: Workspace, renderer: PromptRenderer) -> None:
    task = workspace.spec.tasks["colour"].model_copy(update={"prompt": "{txet}"})
    with pytest.raises(
        InputError, match=r"task colour, example e00: the prompt names the field 'txet'; the row has .*'text'"
    ):
        render_example(load_examples(workspace, "colour")[0], task, renderer)


def test_what_cannot_be_asked_is_refused_with_the_reason(workspace: Workspace, renderer: PromptRenderer) -> None:
    spec = spec_of(workspace, reply=workspace.spec.tasks["reply"])
    example = load_examples(workspace, "reply")[0]
    bad = [
        replace(example, id="empty", reference=""),
        replace(example, id="long", fields=dict(example.fields) | {"text": "a" * 5000}),
    ]
    plan = make_plan(bad, spec.model_copy(update={"settings": Settings(max_new_tokens=8)}), renderer, batch_tokens=256)
    found = {(r.example_id, r.item): r.reason for r in plan.refusals}
    assert "context holds 2,048" in found["long", ""]
    assert "context holds 2,048" in found["long", "reference"]
    # the end-of-turn token alone is still scored after an empty reference; it is the metric that has no value there
    assert ("empty", "") not in found


def test_prompts_are_kept_with_the_examples(workspace: Workspace, renderer: PromptRenderer) -> None:
    spec = spec_of(workspace)
    kept = {
        example.task: example.prompt
        for example in with_prompts(examples_of(workspace, spec), spec, renderer)
        if example.id == "e01"
    }
    assert kept["plain"] == ""
    assert "is it {option}?" in kept["marks"]
    assert kept["colour"].count("<|im_start|>") == 2


def test_a_task_with_a_temperature_has_batches_of_its_own_and_leaves_the_name_of_the_others(
    workspace: Workspace, renderer: PromptRenderer
) -> None:
    reply = workspace.spec.tasks["reply"]
    plain, both = (
        spec_of(workspace, reply=reply),
        spec_of(workspace, reply=reply, warm=reply.model_copy(update={"temperature": 0.7})),
    )
    examples = load_examples(workspace, "reply")
    more = [*examples, *(replace(example, task="warm") for example in examples)]
    one = make_plan(examples, plain, renderer, batch_tokens=256)
    two = make_plan(more, both, renderer, batch_tokens=256)
    batches = [batch for part in two.parts for batch in part.batches if batch.kind == "generate"]
    found = [{r.temperature for r in batch.requests if isinstance(r, GenerateRequest)} for batch in batches]
    assert all(len(several) == 1 for several in found)
    assert {temperature for several in found for temperature in several} == {None, 0.7}
    names = {part.fingerprint for part in one.parts if part.batches[0].kind == "generate"}
    assert names < {part.fingerprint for part in two.parts}
