"""The sentence that a person repeats, and the order of the cards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.compare import Headline, headline
from core.results import Verdict
from core.wording.verdicts import (
    Card,
    card_order,
    cost_sentence,
    counted_rows,
    in_order,
    order_sentence,
    verdict_sentence,
)
from dashboard.parts.verdict_card import card_html
from tests.comparisons import make_comparison


def card(
    found: Headline,
    ratio: float | None = None,
    size: int | None = None,
    name: str = "qv-r8",
    warnings: tuple[str, ...] = (),
) -> Card:
    return Card(name, found, (), ratio, size, warnings)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Headline(5, 1, 0, 1, 7), "is better than the baseline on 5 of 7 metrics, worse on 1; 1 cannot be told."),
        (Headline(7, 0, 0, 0, 7), "is better than the baseline on 7 of 7 metrics."),
        (Headline(0, 2, 1, 4, 7), "is worse than the baseline on 2 of 7 metrics, the same on 1; 4 cannot be told."),
        (Headline(0, 0, 3, 4, 7), "is the same as the baseline on 3 of 7 metrics; 4 cannot be told."),
        (Headline(0, 0, 0, 7, 7), "cannot be told from the baseline on any of 7 metrics."),
        (Headline(1, 0, 0, 0, 1), "is better than the baseline on 1 of 1 metric."),
        (Headline(0, 0, 0, 0, 0), "has no metric to be compared on."),
    ],
)
def test_sentences(found: Headline, sentence: str) -> None:
    assert verdict_sentence(card(found), "baseline") == sentence


def test_a_missing_value_is_said_and_not_counted_as_undecided() -> None:
    comparison = make_comparison()
    made = Card("qv-r2", headline(comparison, "qv-r2"), counted_rows(comparison), None, None, ())
    assert plain(verdict_sentence(made, "baseline")) == (
        "is the same as the baseline on 1 of 6 metrics; 4 cannot be told; 1 without a value (n = 160)."
    )


def _with_verdicts(*verdicts: Verdict) -> Card:
    comparison = make_comparison()
    rows = tuple(
        replace(row, differences={"qv-r8": replace(row.differences["qv-r8"], verdict=verdict)})
        for row, verdict in zip(counted_rows(comparison), verdicts, strict=False)
    )
    return Card("qv-r8", headline(replace(comparison, rows=rows), "qv-r8"), rows, None, None, ())


def test_metrics_without_a_value_are_counted_before_those_that_cannot_be_told() -> None:
    some = plain(verdict_sentence(_with_verdicts("unclear", "none", "none", "unclear", "none"), "baseline"))
    assert some == "cannot be told from the baseline on 2 of 5 metrics; 3 without a value (n = 160)."
    none = verdict_sentence(_with_verdicts("none", "none", "none"), "baseline")
    assert none == "has no value yet on any of 3 metrics."


@pytest.mark.parametrize(
    ("ratio", "size", "sentence"),
    [
        (1.03, 921_600, "It costs 3 % more time a token and 0.92 MB of weights."),
        (0.9, None, "It costs 10 % less time a token."),
        (1.001, None, "It costs as much time a token as the baseline."),
        (None, None, ""),
    ],
)
def test_costs(ratio: float | None, size: int | None, sentence: str) -> None:
    assert plain(cost_sentence(card(Headline(1, 0, 0, 0, 1), ratio, size), "baseline")) == sentence


def test_cards_are_sorted_by_the_rule_on_the_page() -> None:
    good, mixed = Headline(5, 0, 0, 0, 5), Headline(5, 2, 0, 0, 7)
    cards = [
        card(mixed, 1.0, 1, "mixed"),
        card(good, 1.2, 1, "slow"),
        card(good, 1.1, 9, "large"),
        card(good, 1.1, 1, "small"),
    ]
    assert [c.variant for c in in_order(cards)] == ["small", "large", "slow", "mixed"]


@pytest.mark.parametrize(
    ("order", "expected", "words"),
    [
        ("balance", ["few", "many", "none"], "metrics better minus metrics worse"),
        ("better", ["many", "few", "none"], "most metrics better"),
        ("worse", ["few", "none", "many"], "fewest metrics worse"),
        ("time", ["none", "many", "few"], "least time a token; those not timed last"),
        ("size", ["many", "few", "none"], "fewest bytes of weights; those of unknown size last"),
        ("workspace", ["many", "few", "none"], "the order of the workspace"),
        ("nonsense", ["few", "many", "none"], "metrics better minus metrics worse"),
    ],
)
def test_cards_can_be_sorted_by_other_rules_that_say_themselves(order: str, expected: list[str], words: str) -> None:
    cards = [
        card(Headline(5, 3, 0, 0, 8), 1.1, 1, "many"),
        card(Headline(3, 0, 0, 5, 8), None, 9, "few"),
        card(Headline(0, 0, 0, 8, 8), 0.9, None, "none"),
    ]
    chosen = card_order(order)
    assert [c.variant for c in in_order(cards, chosen)] == expected
    assert order_sentence(chosen).startswith(f"Sorted by {words}")


def test_a_card_escapes_everything_that_is_not_ours() -> None:
    hostile = '<img src=x onerror="a()">'
    made = card_html(
        card(Headline(1, 0, 0, 0, 1), name=hostile, warnings=(hostile,)), hostile, "#000000", {"variant": hostile}
    )
    assert "<img" not in made and 'onerror="' not in made
