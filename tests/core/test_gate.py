"""Conditions of the gate: what they mean, what they refuse, and that missing numbers never pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import InputError
from core.gate import check, parse_condition
from core.results import Comparison
from tests.comparisons import make_comparison


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return make_comparison()


def failed(comparison: Comparison, text: str, variant: str = "qv-r8") -> bool:
    (outcome,) = check(comparison, [parse_condition(text)], [variant])
    return outcome.failed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accuracy < baseline", False),
        ("accuracy > baseline", True),
        ("category/accuracy<=0.75", True),
        ("accuracy < 0.75", False),
        ("accuracy < 75.1%", True),
        ("accuracy >= 0.75", True),
        ("accuracy rises more than 0.24", True),
        ("accuracy rises by more than 25 points", False),
        ("accuracy drops more than 0", False),
        ("accuracy worsens more than 0", False),
        ("accuracy worsens", False),
        ("accuracy does not improve", False),
    ],
)
def test_a_condition_is_judged_by_the_numbers_of_the_comparison(
    comparison: Comparison, text: str, expected: bool
) -> None:
    """The variant's accuracy is 0.75, 0.25 above the baseline's, and better by its adjusted p."""
    assert failed(comparison, text) is expected


def test_worse_goes_by_the_metrics_own_direction(comparison: Comparison) -> None:
    row = comparison.row("category/accuracy")
    lower = replace(comparison, rows=(replace(row, higher_is_better=False),))
    assert failed(lower, "accuracy worsens more than 0.2")
    assert not failed(lower, "accuracy drops more than 0.2")


def test_a_missing_number_counts_as_a_failure_with_its_reason(comparison: Comparison) -> None:
    row = comparison.row("category/accuracy")
    gone = replace(row.values["qv-r8"], value=None, low=None, high=None, reason="no example has evidence")
    nothing = replace(row.differences["qv-r8"], difference=None, verdict="none", reason="no pair has a value")
    without = replace(
        comparison,
        rows=(replace(row, values=row.values | {"qv-r8": gone}, differences=row.differences | {"qv-r8": nothing}),),
    )
    for text, reason in (
        ("accuracy < 0.1", "no example has evidence"),
        ("accuracy > baseline", "no example has evidence"),
        ("accuracy drops more than 0.5", "no pair has a value"),
        ("accuracy worsens", "no pair has a value"),
    ):
        (outcome,) = check(without, [parse_condition(text)], ["qv-r8"])
        assert outcome.failed and reason in outcome.reason


def test_any_is_every_primary_metric(comparison: Comparison) -> None:
    outcomes = check(comparison, [parse_condition("any worsens")], ["qv-r8"])
    primary = [row for row in comparison.rows if row.primary]
    assert [one.metric for one in outcomes] == [row.key for row in primary]
    assert [one.failed for one in outcomes] == [row.differences["qv-r8"].verdict == "worse" for row in primary]


def test_the_reason_says_both_numbers_in_one_unit(comparison: Comparison) -> None:
    (outcome,) = check(comparison, [parse_condition("accuracy rises more than 0.01")], ["qv-r8"])
    assert outcome.reason.startswith("category: Accuracy of qv-r8 minus baseline's is +25.0 [")
    assert outcome.reason.endswith("points, n = 160; allowed is 1 points.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accuracy is bad", 'expected a condition such as "rouge_l < baseline"'),
        ("", "expected a condition such as"),
        ("accuracy <", "expected a condition such as"),
        ("accuracy drops more than -0.1", "expected how much as a number of at least 0"),
        ("any < 0.5", '"any" has no unit'),
        ("any drops more than 0.1", '"any" has no unit'),
    ],
)
def test_a_malformed_condition_says_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected.replace("(", r"\(")):
        parse_condition(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acuracy < 0.5", "did you mean '(category/)?accuracy'"),
        ("accuracy < basline", "did you mean 'baseline'"),
        ("accuracy drops more than 5", "expected 0.05 or 5%"),
        ("accuracy < 80", "expected 0.8 or 80%"),
        ("reply/perplexity rises more than 3%", "is no share; expected a number without %"),
    ],
)
def test_what_the_run_does_not_have_is_refused(comparison: Comparison, text: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        check(comparison, [parse_condition(text)], ["qv-r8"])


def test_a_metric_of_several_tasks_has_to_say_which(comparison: Comparison) -> None:
    row = comparison.row("category/accuracy")
    twice = replace(comparison, rows=(row, replace(row, task="other")))
    with pytest.raises(InputError, match="expected one of category/accuracy, other/accuracy"):
        check(twice, [parse_condition("accuracy < 0.5")], ["qv-r8"])
    assert not failed(twice, "other/accuracy < 0.5")


def test_a_label_is_named_in_brackets_spaces_and_all(comparison: Comparison) -> None:
    row = replace(comparison.row("category/accuracy"), metric="f1_per_class", part="product advice")
    one = replace(comparison, rows=(row,))
    assert failed(one, "category/f1_per_class[product advice] < 0.8")
    with pytest.raises(InputError, match=r"expected one of category/f1_per_class\[product advice\]"):
        check(one, [parse_condition("f1_per_class < 0.8")], ["qv-r8"])
