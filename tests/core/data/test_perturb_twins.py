"""Twins: the same examples with another input, the same answers, and options that map back by label."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.data.perturb.twins import perturbed_examples, twin_name, twin_tasks
from core.data.prompt import fill
from core.errors import InputError
from core.records import Example
from core.spec import TaskSpec


def task(**more: object) -> TaskSpec:
    given = {
        "dataset": "d", "kind": "classification", "prompt": "{text} Is it red, dark blue or green?",
        "options": ["red", "dark blue", "green"], "reference": "label", "metrics": ["accuracy"],
    }  # fmt: skip
    return TaskSpec.model_validate(given | more)


def examples(n: int = 8, **more: object) -> list[Example]:
    made = [
        Example("t", f"e{k}", "", {"text": f"The apple number {k} is lying here.", "label": "red", "note": "Untouched note"},
                "red", ("red", "dark blue", "green"), ("colour=red",), "en", f"g{k % 2}")
        for k in range(n)
    ]  # fmt: skip
    return [replace(one, **more) for one in made]  # type: ignore[arg-type]


def twins_of(spec: TaskSpec, given: list[Example], seed: int = 0) -> dict[str, tuple[TaskSpec, list[Example]]]:
    found = {}
    for name, twin in twin_tasks("t", spec, seed).items():
        assert twin.perturbation is not None
        found[name] = twin, perturbed_examples(name, twin.perturbation, spec, given)
    return found


def test_a_twin_differs_in_its_input_alone() -> None:
    spec = task(robustness=["typos", "character_edits_3"], primary=["accuracy"], bands={"accuracy": 0.1})
    found = twins_of(spec, examples())
    assert list(found) == ["t+typos", "t+character_edits_3.0", "t+character_edits_3.1", "t+character_edits_3.2"]
    for name, (twin, made) in found.items():
        assert (twin.primary, twin.robustness, twin.metrics, twin.prompt) == ((), (), ("accuracy",), spec.prompt)
        assert twin.perturbation is not None
        assert twin.perturbation.of == "t"
        for before, after in zip(examples(), made, strict=True):
            assert after.task == name
            assert after.fields["text"] != before.fields["text"]
            assert replace(after, task="t", fields=before.fields) == before
            assert {k: v for k, v in after.fields.items() if k != "text"} == {
                k: v for k, v in before.fields.items() if k != "text"
            }
    copies = [made[0].fields["text"] for name, (_, made) in found.items() if "edits" in name]
    assert len(set(copies)) == 3


def test_order_and_subset_of_the_examples_do_not_matter() -> None:
    spec = task(robustness=["typos"])
    whole = {e.id: e for e in twins_of(spec, examples())["t+typos"][1]}
    some = twins_of(spec, examples()[::-2])["t+typos"][1]
    assert [whole[e.id] for e in some] == some
    assert twins_of(spec, examples(), seed=1)["t+typos"][1] != list(whole.values())


def test_the_same_dataset_is_perturbed_alike_in_every_task() -> None:
    spec = task(robustness=["typos"])
    twin = twin_tasks("other", spec, 0)["other+typos"]
    assert twin.perturbation is not None
    other = perturbed_examples("other+typos", twin.perturbation, spec, examples(task="other"))
    assert [e.fields for e in other] == [e.fields for e in twins_of(spec, examples())["t+typos"][1]]


def test_long_additions_go_to_the_longest_field_once() -> None:
    spec = task(prompt="{title}: {text} Is it red, dark blue or green?", robustness=["very_long", "typos"])
    given = [replace(e, fields={**e.fields, "title": "Short title", "count": 3}) for e in examples()]
    found = twins_of(spec, given)
    assert {e.fields["title"] for e in found["t+very_long"][1]} == {"Short title"}
    assert all(len(e.fields["text"]) > 2_000 for e in found["t+very_long"][1])
    assert all(e.fields["title"] != "Short title" for e in found["t+typos"][1])


def test_what_is_no_text_or_is_empty_stays() -> None:
    given = [replace(e, fields={"text": value}) for e, value in zip(examples(4), (3, None, "", ["a"]), strict=True)]
    made = twins_of(task(robustness=["typos"]), given)["t+typos"][1]
    assert [e.fields["text"] for e in made] == [3, None, "", ["a"]]


def test_options_that_the_prompt_spells_out_are_shown_in_another_order() -> None:
    spec = task(robustness=["option_order"], few_shot=[{"fields": {"text": "A leaf."}, "answer": "green"}])
    twin, made = twins_of(spec, examples())["t+option_order"]
    prompts = [fill(twin.prompt or "", e.fields, "here") for e in made]
    shown = {prompt.partition("Is it ")[2] for prompt in prompts}
    assert "red, dark blue or green?" not in shown
    assert len(shown) > 1
    for text in shown:
        assert sorted(text.removesuffix("?").replace(" or ", ", ").split(", ")) == ["dark blue", "green", "red"]
    assert [e.options for e in made] == [e.options for e in examples()], "each option is scored under its own name"
    assert {e.reference for e in made} == {"red"}
    shot = fill(twin.prompt or "", twin.few_shot[0].fields, "shot")
    assert shot == "A leaf. Is it red, dark blue or green?", "worked examples stay as they are"


def test_a_chinese_list_is_a_list_too() -> None:
    spec = task(prompt="{text} 类别：退款、物流或投诉。", options=["退款", "物流", "投诉"], robustness=["option_order"])
    given = examples(options=("退款", "物流", "投诉"), reference="退款")
    twin, made = twins_of(spec, given)["t+option_order"]
    shown = fill(twin.prompt or "", made[0].fields, "here").partition("类别：")[2]
    assert sorted(shown.removesuffix("。").replace("或", "、").split("、")) == sorted(["退款", "物流", "投诉"])
    assert shown != "退款、物流或投诉。"


@pytest.mark.parametrize(
    "prompt",
    [
        "{text} A. it is dear B. it is cheap: A or B?",  # letters stand for contents first, and are a list at the end
        "{text}\n- A\n- B",
        "{text} 1. A\n2. B",
    ],
)
def test_only_the_list_itself_is_reordered(prompt: str) -> None:
    spec = task(prompt=prompt, options=["A", "B"], robustness=["option_order"])
    twin, made = twins_of(spec, examples(1, options=("A", "B"), reference="A"))["t+option_order"]
    shown = fill(twin.prompt or "", made[0].fields, "here")
    assert shown.startswith(fill(prompt, examples(1)[0].fields, "x").rpartition("A")[0])
    assert shown.rindex("B") < shown.rindex("A")


def test_labels_of_other_contents_are_no_list() -> None:
    spec = task(prompt="{text} A. it is dear B. it is cheap", options=["A", "B"], robustness=["option_order"])
    with pytest.raises(
        InputError, match="'option_order' does not apply: the prompt does not show the options as a list"
    ):
        twin_tasks("t", spec, 0)


def test_documents_of_a_field_are_permuted_with_their_relevance() -> None:
    spec = task(
        kind="ranking", prompt="{text} {docs}", options="{docs}", reference="grades", robustness=["option_order"]
    )
    docs, grades = ["one", "two", "three"], [0, 2, 1]
    given = examples(options=tuple(docs), reference=grades)
    given = [replace(e, fields={**e.fields, "docs": docs}) for e in given]
    twin, made = twins_of(spec, given)["t+option_order"]
    assert twin.prompt == spec.prompt
    for one in made:
        assert one.options != tuple(docs)
        assert one.fields["docs"] == list(one.options)
        assert dict(zip(one.options, one.reference, strict=True)) == dict(zip(docs, grades, strict=True))


def test_names_that_cannot_be_are_refused() -> None:
    assert twin_name("t", "typos") == "t+typos"
    with pytest.raises(InputError, match=r"with its perturbation the name is .* \(81 letters\); expected 80 at most"):
        twin_tasks("t" * 75, task(robustness=["typos"]), 0)
    with pytest.raises(InputError, match="there is no perturbation 'tipos'"):
        twin_tasks("t", task(robustness=["tipos"]), 0)
