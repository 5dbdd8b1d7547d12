"""Rules of what was picked: written into an address and read back, and the examples that each names."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from core.diagnostics.answers import Answers
from core.diagnostics.picks import Pick, pick_sentence, picked_answers, picked_by_number, picked_by_score, read_pick
from core.errors import InputError

SCORES = pd.DataFrame({"baseline": [0.2, 0.5, 0.5, np.nan], "qv-r8": [0.7, 0.5, 0.3, 0.4]}, index=list("abcd"))
HOSTILE = '<b>$x$"]},[&'


def pick(kind: str, *bounds: float, labels: tuple[str, ...] = (), variant: str = "qv-r8") -> Pick:
    return Pick(kind, "rouge_l", variant, "baseline", bounds, labels)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "one",
    [
        pick("difference", -0.1, 0.30000000000000004),
        pick("outcome", labels=("win",)),
        pick("cell", labels=(HOSTILE, "b")),
        pick("region", 0, 1, 0.2, 0.4),
        pick("length", 3, 9, variant=HOSTILE),
    ],
)
def test_a_rule_is_read_back_as_it_was_written(one: Pick) -> None:
    assert read_pick(one.text()) == one


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", "[]", "{}", "null", "[" * 50_000, '["difference","m","v","r",[0],[]]', '["difference","m","v","r",[0,"1"],[]]',
        '["difference","m","v","r",[0,NaN],[]]', '["difference","m","v","r",[0,true],[]]', '["outcome","m","v","r",[],["draw"]]',
        '["cell","m","v","r",[],["a"]]', '["cell","m","v","r",[],["a",1]]', '["drop","m","v","r",[],[]]',
        '["outcome","m",1,"r",[],["win"]]',
        '[["cell"],"m","v","r",[],["a","b"]]', '["cell","m","v","r",[],["a","' + "b" * 5_000 + '"]]',
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(InputError, match="take `pick` out of it, or click in the picture again"):
        read_pick(text)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (pick("difference", 0.4, 0.5), "a"),
        (pick("difference", -0.2, 0.0), "c"),
        (pick("difference", 0.0, 0.0), "b"),
        (pick("outcome", labels=("win",)), "a"),
        (pick("outcome", labels=("loss",)), "c"),
        (pick("outcome", labels=("tie",)), "b"),
        (pick("region", 0.4, 0.6, 0.0, 0.4), "c"),
    ],
)
def test_scores_pick_the_examples_of_the_bar_or_region(one: Pick, expected: str) -> None:
    assert "".join(SCORES.index[picked_by_score(one, SCORES, True)]) == expected


def test_what_wins_follows_the_direction() -> None:
    assert picked_by_score(pick("outcome", labels=("win",)), SCORES, False).tolist() == [False, False, True, False]


def test_lengths_hold_both_ends_and_confidences_the_lower_but_one_is_in_the_last_bin() -> None:
    numbers = np.array([0.5, 0.6, 1.0, np.nan])
    assert picked_by_number(pick("length", 0.5, 0.6), numbers).tolist() == [True, True, False, False]
    assert picked_by_number(pick("confidence", 0.5, 0.6), numbers).tolist() == [True, False, False, False]
    assert picked_by_number(pick("confidence", 0.6, 1.0), numbers).tolist() == [False, True, True, False]


def test_a_cell_holds_the_examples_that_the_matrix_counted_there() -> None:
    mine = Answers(tuple("123"), ("a", "a", "b"), ("b", "b", "b"))
    other = Answers(tuple("123"), ("a", "a", "b"), ("a", None, "a"))
    assert picked_answers(pick("cell", labels=("a", "b")), mine, other).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (pick("difference", -0.1, 0.0), "ROUGE-L of qv-r8 minus baseline between −10.0 and 0.0 points"),
        (pick("difference", 0.0, 0.0), "ROUGE-L the same under qv-r8 and baseline"),
        (pick("outcome", labels=("loss",)), "qv-r8 loses against baseline (ROUGE-L)"),
        (pick("cell", labels=("a", "b")), "a answered by qv-r8 as b"),
        (pick("length", 3, 1200), "3 to 1,200 tokens"),
        (pick("length", 7, 7), "7 tokens"),
        (pick("confidence", 0.2, 0.4), "qv-r8 between 20 and 40 % sure"),
        (pick("region", 0, 0.5, 0.1, 1), "ROUGE-L between 0.0 and 50.0 under baseline, 10.0 and 100.0 under qv-r8"),
    ],
)
def test_a_rule_reads_as_a_phrase(one: Pick, words: str) -> None:
    assert pick_sentence(one, "share", "ROUGE-L") == words


def test_an_address_holds_plain_json() -> None:
    assert json.loads(pick("length", 3, 9).text()) == ["length", "rouge_l", "qv-r8", "baseline", [3, 9], []]
