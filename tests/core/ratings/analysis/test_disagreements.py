from __future__ import annotations

import pytest

from core.errors import InputError
from core.ratings import RatingStore, close_study, join, open_by_link, open_study
from core.ratings.analysis import analyse
from core.ratings.analysis.disagreements import disagreements
from core.ratings.study import renew_link
from tests.core.ratings.analysis import made
from tests.core.ratings.studies import make_study, rate_all

PAIR = ("base", "lora")


def test_opposed_items_come_first_with_what_each_rater_said():
    items = [made.item(name) for name in "abc"]
    own = [
        made.answer("a", "Ana", PAIR, "left", preferred="base"), made.answer("a", "Ben", PAIR, "tie", preferred="tie"),
        made.answer("b", "Ana", PAIR, "left", preferred="base", comment="<b>shorter</b>"),
        made.answer("b", "Ben", PAIR, "right", preferred="lora"),
        made.answer("c", "Ana", PAIR, "left", preferred="base"), made.answer("c", "Ben", PAIR[::-1], "right", preferred="base"),
    ]  # fmt: skip
    found = disagreements(made.rated(items, own))
    assert [(one.item_id, one.opposed) for one in found] == [("b", True), ("a", False)]
    assert [(one.rater, one.verdict, one.comment) for one in found[0].verdicts] == [
        ("Ana", "base", "<b>shorter</b>"),
        ("Ben", "lora", ""),
    ]
    assert found[0].variants == PAIR


@pytest.mark.parametrize(
    ("mode", "shown", "values", "texts", "opposed"),
    [
        ({"mode": "score"}, ("base",), (2, 3), ("2", "3"), False),
        ({"mode": "score"}, ("base",), (2, 4), ("2", "4"), True),
        ({"graded": True}, PAIR, (-2, 1), ("base by 2", "lora by 1"), True),
        ({"graded": True}, PAIR, (0, 1), ("tie", "lora by 1"), False),
        ({}, PAIR, ("both_bad", "right"), ("both bad", "lora"), False),
    ],
)
def test_answers_in_words(mode, shown, values, texts, opposed: bool):
    def preferred(value):
        if mode.get("mode") == "score":
            return None
        return (
            {-1: "base", 0: "tie", 1: "lora"}[(value > 0) - (value < 0)]
            if isinstance(value, int)
            else {"right": "lora"}.get(value, value)
        )

    own = [
        made.answer("a", rater, shown, value, preferred=preferred(value), criterion="preference")
        for rater, value in zip(("Ana", "Ben"), values, strict=True)
    ]
    (found,) = disagreements(made.rated([made.item("a", shown)], own, **mode))
    assert tuple(one.verdict for one in found.verdicts) == texts and found.opposed is opposed


def test_rankings_in_words():
    names = ("base", "lora", "full")
    own = [
        made.answer("a", "Ana", names, [2, 1, 2], preferred="lora"),
        made.answer("a", "Ben", names[::-1], [1, 2, 3], preferred="full"),
    ]
    (found,) = disagreements(made.rated([made.item("a", names)], own, variants=names, mode="rank"))
    assert [one.verdict for one in found.verdicts] == ["lora > base = full", "full > lora > base"] and found.opposed


def test_raters_see_them_only_once_the_study_is_closed(lite: RatingStore, tmp_path):
    study = make_study(lite, tmp_path, raters=2, overlap=2)
    for name in ("Ana", "Ben"):
        rate_all(study, join(study, name))
    by_link = open_by_link(lite, study.id, renew_link(study))
    with pytest.raises(InputError, match="Results and the answers of others are shown once the study is closed"):
        analyse(by_link, resamples=100)
    as_owner = analyse(open_study(lite, study.id), resamples=100)
    close_study(study)
    closed = analyse(by_link, resamples=100)
    assert closed.disagreements == as_owner.disagreements and closed.closed and not as_owner.closed
