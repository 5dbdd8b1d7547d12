"""Slices by what a variant answered: which examples lie in them, and what a comparison says there."""

from __future__ import annotations

import pytest

from core.compare import compare
from core.errors import InputError
from core.records import BASELINE
from core.slices import answer_slice, matcher, read_answer_slice
from core.store import Run
from core.text_features import TextFeature, feature_from
from tests.core.mini import chosen, example, failed, said, spec, task, write

N = 24
TASKS = {"reply": task("generation", metrics=["exact_match"]), "label": task(metrics=["accuracy"])}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The baseline refuses every third example, the adapter none; it answers the refused ones right and no other."""
    examples = [example(name, number, "yes") for name in TASKS for number in range(N)]
    evidence = [chosen("label", variant, number, "yes") for variant in (BASELINE, "lora") for number in range(N)]
    for number in range(N):
        refuses = number % 3 == 0
        evidence.append(
            said("reply", BASELINE, number, "I'm sorry, but I cannot help with that." if refuses else "yes")
        )
        evidence.append(said("reply", "lora", number, "yes" if refuses else "no / maybe"))
    evidence[-1] = failed("reply", "lora", N - 1)
    return write(tmp_path_factory.mktemp("answered") / "run", spec(TASKS), examples, evidence)


def test_the_examples_are_those_where_the_variant_has_it(run: Run) -> None:
    name = answer_slice("reply", BASELINE, feature_from("refusal"))
    assert name == "answers: reply/baseline/refusal"
    refused = {f"e{number:03d}" for number in range(0, N, 3)}
    inside = matcher(run, name)
    assert inside.of("reply") == refused
    assert inside.of("label") == refused, "a task over the same dataset has the same slice"
    assert inside.of("other") == frozenset()
    lora = matcher(run, answer_slice("reply", "lora", feature_from("contains", "NO / maybe")))
    expected = {f"e{number:03d}" for number in range(N - 1)} - refused
    assert lora.of("reply") == expected, "a slash in what is looked for, and an answer that is missing"


def test_a_comparison_on_it_is_paired_over_its_examples(run: Run) -> None:
    name = answer_slice("reply", BASELINE, feature_from("refusal"))
    rows = {row.key: row for row in compare(run, where=matcher(run, name)).rows}
    difference = rows["reply/exact_match"].differences["lora"]
    assert (difference.difference, difference.n) == (1.0, N // 3)
    assert rows["label/accuracy"].values[BASELINE].n == N // 3


@pytest.mark.parametrize(
    "feature",
    [feature_from("contains", "a/b, c"), feature_from("regex", r"^\d+/"), feature_from("length", "200"), feature_from("list")],
)  # fmt: skip
def test_a_name_says_all_of_its_feature(run: Run, feature: TextFeature) -> None:
    assert read_answer_slice(run, answer_slice("reply", "lora", feature)) == ("reply", "lora", feature)


def test_a_language_is_a_slice_too(run: Run) -> None:
    undetermined = matcher(run, answer_slice("reply", BASELINE, feature_from("language", "undetermined"))).of("reply")
    assert undetermined == {f"e{number:03d}" for number in range(N) if number % 3}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "answers: rely/baseline/refusal",
            r"no task with texts as answers 'rely'.*did you mean 'reply'.*expected one of reply\.",
        ),
        ("answers: label/baseline/refusal", r"no task with texts as answers 'label'.*expected one of reply\."),
        ("answers: reply/lara/list", r"no variant 'lara'.*expected one of baseline, lora\."),
        ("answers: reply/lora/refuses", r"feature: there is no kind 'refuses'.*'refusal'"),
        ("answers: reply/lora/contains", r"Contains words: found nothing to look for"),
        ("answers: ", r"no task with texts as answers ''.*expected one of reply\."),
    ],
)
def test_a_name_that_cannot_be_read_says_what_was_expected(run: Run, name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        matcher(run, name)
