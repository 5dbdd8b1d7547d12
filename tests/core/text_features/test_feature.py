"""What a reader may ask of answers, and what is said to what cannot be asked."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.text_features import KINDS, feature_from
from core.text_features.feature import RULES


@pytest.mark.parametrize(
    ("kind", "argument", "label"),
    [
        ("contains", "Sorry ", "contains 'Sorry '"),
        ("regex", r"\d+", r"matches \d+"),
        ("length", " 1,200 ", "has at least 1200 characters"),
        ("list", "left over", "has a list"),
        ("heading", "", "has a heading"),
        ("refusal", "", "refuses"),
        ("language", " zh ", "is in zh"),
    ],
)
def test_what_is_typed_becomes_a_feature(kind: str, argument: str, label: str) -> None:
    assert feature_from(kind, argument).label == label


def test_every_kind_has_a_rule_for_its_reader() -> None:
    assert RULES.keys() == KINDS.keys()


@pytest.mark.parametrize(
    ("kind", "argument", "said"),
    [
        ("contain", "x", "there is no kind 'contain' (did you mean 'contains'?)"),
        ("contains", "   ", "found nothing to look for. Type it, or choose another feature."),
        ("language", "", "found nothing to look for."),
        ("regex", "(", "'(' is not a regular expression that can be searched (missing ): (). Mend it:"),
        ("regex", "*", "(no argument for repetition operator: *)"),
        ("regex", "x(?=y)", "(invalid perl operator: (?=). Mend it:"),
        ("regex", "(a{1000}){1000}", "(invalid repetition size: {1000})"),
        ("regex", "\ud800", "is not a regular expression that can be searched"),
        ("regex", "x" * 201, "found 201 characters, expected at most 200."),
        ("length", "0", "found '0', expected a whole number of characters above 0, such as 200."),
        ("length", "-3", "found '-3', expected a whole number"),
        ("length", "2.5", "found '2.5', expected a whole number"),
        ("length", "٣", "found '٣', expected a whole number"),
        ("length", "9" * 30, "expected a whole number"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason(kind: str, argument: str, said: str) -> None:
    with pytest.raises(InputError) as refusal:
        feature_from(kind, argument)
    assert said in str(refusal.value)
