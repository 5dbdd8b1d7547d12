"""Perturbations: seeded, careful with scripts and surrogates; which there are, and where they apply."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.perturb import catalogue, find_perturbation, get_perturbation, perturbed_fields, why_not
from core.data.perturb.perturbation import Perturbation, seeded
from core.data.perturb.scripts import graphemes, is_unspaced, joined, language_of, pieces
from core.errors import InputError
from core.spec import TaskSpec
from tests.core.data.perturbing import CHINESE, ENGLISH, asked, changed

CHANGES = [one for one in catalogue() if one.scope != "options"]
NAMES = [one.name for one in CHANGES]


def task(**more: object) -> TaskSpec:
    given = {"dataset": "d", "kind": "classification", "prompt": "{text}?", "options": ["a", "b"], "reference": "label"}
    return TaskSpec.model_validate(given | more)


# -- all of them
@pytest.mark.parametrize("perturbation", CHANGES, ids=NAMES)
@given(text=st.text(min_size=1, max_size=60), seed=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_any_text_stays_a_text(perturbation: Perturbation, text: str, seed: int) -> None:
    out = perturbation.apply(text, asked(None), seeded(seed, perturbation.name, "e", 0, "f"))
    assert out.strip() or not text.strip(), "a text never becomes empty"
    out.encode("utf-8")
    assert out == perturbation.apply(text, asked(None), seeded(seed, perturbation.name, "e", 0, "f"))


@pytest.mark.parametrize("name", NAMES)
def test_english_is_changed_and_each_example_in_its_own_way(name: str) -> None:
    outs = {changed(name, ENGLISH, example=f"e{number}") for number in range(12)}
    assert all(out != ENGLISH for out in outs)
    assert len(outs) > 1 or name == "very_short", "chance differs from example to example"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "case"])
def test_chinese_is_changed_and_stays_whole(name: str) -> None:
    out = changed(name, CHINESE, asked("zh"))
    assert out != CHINESE
    assert "\ufffd" not in out
    assert is_unspaced(out), "no English is put into a Chinese text"


def test_scripts_without_case_stay_as_they_are() -> None:
    assert {changed("case", "我们退款吗", asked("zh"), seed=seed) for seed in range(6)} == {"我们退款吗"}


def test_the_seed_the_name_the_example_the_copy_and_the_field_all_count() -> None:
    first = seeded(0, "typos", "e1", 0, "text").random()
    others = [
        seeded(1, "typos", "e1", 0, "text"), seeded(0, "case", "e1", 0, "text"), seeded(0, "typos", "e2", 0, "text"),
        seeded(0, "typos", "e1", 1, "text"), seeded(0, "typos", "e1", 0, "title"), seeded(0, "typos", "e", 10, "text"),
    ]  # fmt: skip
    assert len({first, *(rng.random() for rng in others)}) == 7
    assert first == seeded(0, "typos", "e1", 0, "text").random()


# -- pieces
@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_pieces_joined_are_the_text(text: str) -> None:
    assert joined(pieces(text)) == text
    assert "".join(graphemes(text)) == text


def test_pieces_are_words_characters_and_marks() -> None:
    kinds = [(piece.text, piece.kind) for piece in pieces("It's 12.50, 我在e-mail里👩‍👧!")]
    assert kinds == [
        ("It's", "word"), (" ", "space"), ("12.50", "word"), (",", "mark"), (" ", "space"), ("我", "character"),
        ("在", "character"), ("e-mail", "word"), ("里", "character"), ("👩‍👧", "mark"), ("!", "mark"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "declared", "language"),
    [("x", "zh-Hans", "zh"), ("x", "PT_br", "pt"), ("Hello", None, "en"), (CHINESE, None, "zh"), ("これは本です", None, "ja")],
)  # fmt: skip
def test_the_language_is_what_was_declared_or_the_script_suggests(
    text: str, declared: str | None, language: str
) -> None:
    assert language_of(text, declared) == language


# -- which are there, and where they apply
def test_the_catalogue_covers_the_three_families_with_descriptions() -> None:
    by_family = Counter(one.family for one in catalogue())
    assert by_family == {"noise": 6, "outliers": 4, "adversarial": 4}
    assert len({one.name for one in catalogue()}) == 14
    for one in catalogue():
        assert one.description.endswith("."), one.name
        assert find_perturbation(one.name) == one


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        InputError, match=r"there is no perturbation 'typo' \(did you mean 'typos'\?\), expected one of: typos, case"
    ):
        get_perturbation("typo")


def test_only_texts_that_the_prompt_names_are_inputs() -> None:
    assert perturbed_fields(task(prompt="{title}: {text} {title} {label} {9x}")) == ("title", "text")
    several = task(kind="multilabel", prompt="{text} {option}?", options=["a", "b"])
    assert perturbed_fields(several) == ("text",)
    listed = task(kind="ranking", prompt="{text}: {docs}", options="{docs}")
    assert perturbed_fields(listed) == ("text",)


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("typos", {"kind": "finance"}, "come from elsewhere: no model can be asked again"),
        ("typos", {"kind": "likelihood", "prompt": None}, "the task has no prompt"),
        ("typos", {"prompt": "What is {label}?"}, "the prompt names no field in {braces} beside the reference"),
        ("typos", {}, None),
        ("option_order", {"kind": "regression", "options": [1, 2]}, "it is for classification and ranking and not for regression"),
        ("option_order", {}, "the prompt does not show the options as a list"),
        ("option_order", {"prompt": "{text}: a or b?"}, None),
        ("option_order", {"options": None, "answer": {"rule": "contains"}}, "the task has no options"),
        ("option_order", {"prompt": "{text} {choices}", "options": "{choices}"}, None),
        ("option_order", {"prompt": "{text}", "options": "{choices}"}, "their order cannot matter"),
        ("option_order", {"prompt": "{text}: a", "options": ["a"]}, "there is only one option"),
    ],
)  # fmt: skip
def test_why_a_perturbation_does_not_apply(name: str, changes: dict, reason: str | None) -> None:
    found = why_not(get_perturbation(name), task(**changes))
    assert (found is None) if reason is None else (reason in (found or ""))
