from __future__ import annotations

import numpy as np
import pytest

from core.ratings.analysis.answers import compared, count_pair_votes
from core.ratings.analysis.evidence import evidence_path
from core.ratings.analysis.pairs import pair_results, win_matrix
from core.ratings.exchange.verdicts import count_votes
from core.stats import decisive_win_rate, e_value, wilson_interval
from tests.core.ratings.analysis import made
from tests.core.ratings.analysis.made import SETTINGS


def _simple(wins: int, losses: int, ties: int = 0, bad: int = 0, **more):
    values = ["right"] * wins + ["left"] * losses + ["tie"] * ties + ["both_bad"] * bad
    names = [f"e{number}" for number in range(len(values))]
    own = [made.answer(name, "Ana", ("base", "lora"), value) for name, value in zip(names, values, strict=True)]
    items = [made.item(name) for name in names]
    items.append(made.item("same", identical=True))
    return made.rated(items, own, **more)


def test_rates_test_and_evidence_of_one_rater():
    (pair,) = pair_results(_simple(14, 6, 4, 2), SETTINGS)["preference"]
    by_hand = decisive_win_rate(14, 6, 4, 2)
    assert (pair.variant, pair.against) == ("lora", "base")
    assert (pair.wins, pair.losses, pair.ties, pair.both_bad, pair.n_identical) == (14, 6, 4, 2, 1)
    assert (pair.decisive.value, pair.decisive.low, pair.decisive.high, pair.decisive.n) == (
        0.7,
        by_hand.low,
        by_hand.high,
        20,
    )
    assert (pair.tie.value, pair.bad.value, pair.win.n) == (4 / 26, 2 / 26, 26)
    assert (pair.tie.low, pair.tie.high) == wilson_interval(4, 26)
    assert (pair.sign_p, pair.sign_mid_p, pair.p_adjusted) == (by_hand.sign_p, by_hand.sign_mid_p, by_hand.sign_mid_p)
    assert pair.e_value == e_value(14, 6).value and pair.threshold == 20 and not pair.may_stop and pair.needed > 0


def test_exchanging_the_sides_changes_nothing():
    rng = np.random.default_rng(1)
    values = made.verdicts(rng, 60)
    names = [f"e{number}" for number in range(60)]
    other = {"left": "right", "right": "left"}
    plain = [made.answer(name, "Ana", ("base", "lora"), value) for name, value in zip(names, values, strict=True)]
    turned = [made.answer(n, "Ana", ("lora", "base"), other.get(v, v)) for n, v in zip(names, values, strict=True)]
    items = [made.item(name) for name in names]
    assert pair_results(made.rated(items, plain), SETTINGS) == pair_results(made.rated(items, turned), SETTINGS)


def test_several_raters_give_the_verdict_that_an_export_gives():
    rng = np.random.default_rng(2)
    names = [f"e{number}" for number in range(80)]
    own = [
        made.answer(name, rater, ("base", "lora") if rng.random() < 0.5 else ("lora", "base"), made.verdicts(rng, 1)[0])
        for name in names for rater in ("Ana", "Ben", "Cy")[: int(rng.integers(1, 4))]
    ]  # fmt: skip
    rated = made.rated([made.item(name) for name in names], own)
    table = count_pair_votes(compared(rated.own, "pair", "preference"), rated.variants).set_index("item_id")
    place = {"left": 0, "right": 1}
    given = zip(rated.own["shown"], rated.own["value"], strict=True)
    preferred = [shown[place[value]] if value in place else value for shown, value in given]
    frame = rated.own.assign(practice=False, gold=False, repeat=False, preferred=preferred)
    exported = count_votes(rated.study, frame)
    assert len(exported) == 80
    for votes in exported:
        said = {0: "loss", 1: "win", None: votes.why_not.replace(" ", "_")}[votes.winner]
        assert table.loc[votes.item_id, "verdict"] == said


def test_an_open_study_counts_no_verdict_that_could_still_turn():
    items = [made.item("a", needed=2), made.item("b", needed=2), made.item("c", needed=1, cluster="g", group="g"),
             made.item("d", needed=1, cluster="g", group="g")]  # fmt: skip
    own = [made.answer("a", "Ana", ("base", "lora"), "right"), made.answer("a", "Ben", ("base", "lora"), "right"),
           made.answer("b", "Ana", ("base", "lora"), "right"), made.answer("c", "Ana", ("base", "lora"), "right", group="g")]  # fmt: skip
    (still_open,) = pair_results(made.rated(items, own, closed=False), SETTINGS)["preference"]
    (closed,) = pair_results(made.rated(items, own), SETTINGS)["preference"]
    assert (still_open.wins, still_open.n_evidence, closed.n_evidence) == (3, 1, 3)
    assert still_open.e_value == e_value(1, 0).value and closed.e_value == e_value(3, 0).value


def test_examples_of_one_group_are_one_verdict_to_the_tests():
    names = [f"e{number}" for number in range(40)]
    items = [made.item(name, cluster=f"g{at // 4}", group=f"g{at // 4}") for at, name in enumerate(names)]
    own = [
        made.answer(n, "Ana", ("base", "lora"), "left" if at // 4 == 9 else "right", group=f"g{at // 4}")
        for at, n in enumerate(names)
    ]
    (pair,) = pair_results(made.rated(items, own), SETTINGS)["preference"]
    assert pair.n_evidence == 10 and pair.e_value == e_value(9, 1).value
    assert pair.sign_mid_p == decisive_win_rate(9, 1).sign_mid_p
    assert pair.decisive.high - pair.decisive.low > np.diff(wilson_interval(36, 40))[0], (
        "40 examples of 10 groups say less than 40"
    )


@pytest.mark.parametrize(
    ("counts", "why"), [((0, 0, 5, 0), "no decisive verdicts"), ((0, 0, 0, 5), "no decisive verdicts")]
)
def test_without_a_decisive_verdict_there_is_a_reason(counts: tuple[int, ...], why: str):
    (pair,) = pair_results(_simple(*counts), SETTINGS)["preference"]
    assert pair.decisive.value is None and why in pair.decisive.reason
    assert (pair.sign_p, pair.e_value, pair.p_adjusted, pair.length_controlled.value) == (None, 1.0, None, None)


def test_grades_are_for_the_variant_wherever_it_stood():
    items = [made.item(name) for name in "abc"]
    own = [made.answer("a", "Ana", ("base", "lora"), 3), made.answer("b", "Ana", ("lora", "base"), -1),
           made.answer("b", "Ben", ("base", "lora"), -3), made.answer("c", "Ana", ("base", "lora"), 0)]  # fmt: skip
    (pair,) = pair_results(made.rated(items, own, graded=True), SETTINGS)["preference"]
    assert pair.grade.value == pytest.approx((3 - 1 + 0) / 3) and pair.grade.n == 3
    assert pair.grades == (1, 0, 0, 1, 1, 0, 1)
    assert (pair.wins, pair.losses, pair.ties, pair.n_split) == (1, 0, 2, 1)


def test_a_ranking_is_a_verdict_on_each_pair_and_the_matrix_mirrors():
    shown = ("full", "base", "lora")
    own = [made.answer(f"e{at}", "Ana", shown, [1, 3, 2] if at < 8 else [3, 1, 1]) for at in range(10)]
    items = [made.item(f"e{at}", ("base", "lora", "full")) for at in range(10)]
    rated = made.rated(items, own, variants=("base", "lora", "full"), mode="rank")
    found = pair_results(rated, SETTINGS)["preference"]
    assert [(one.variant, one.against, one.wins, one.losses, one.ties) for one in found] == [
        ("lora", "base", 8, 0, 2), ("full", "base", 8, 2, 0), ("full", "lora", 8, 2, 0),
    ]  # fmt: skip
    assert all(one.threshold == 60 for one in found), "three pairs are looked at"
    matrix = win_matrix(rated, found)
    assert matrix[0][0] is None and matrix[2][0].value == 0.8 and matrix[0][2].value == pytest.approx(0.2)
    assert matrix[0][2].low == pytest.approx(1 - matrix[2][0].high)


def test_length_is_taken_off():
    rng = np.random.default_rng(5)
    gaps = rng.integers(-300, 300, size=200)
    # Who is longer wins, mostly: at equal length neither does.
    won = rng.random(200) < 1 / (1 + np.exp(-gaps / 80))
    items = [made.item(f"e{at}", lengths=(400, 400 + int(gap) + 60)) for at, gap in enumerate(gaps)]
    own = [made.answer(f"e{at}", "Ana", ("base", "lora"), "right" if one else "left") for at, one in enumerate(won)]
    (pair,) = pair_results(made.rated(items, own), SETTINGS)["preference"]
    assert pair.length_effect > 1 and pair.length_controlled.value < pair.decisive.value


def test_the_path_of_the_evidence_ends_where_the_evidence_stands(lite, tmp_path):
    from core.ratings import join
    from core.ratings.analysis import analyse
    from tests.core.ratings.studies import make_study, rate_all

    study = make_study(lite, tmp_path, n=12, raters=2, overlap=2)
    for name, most in (("Ana", 12), ("Ben", 7)):
        rate_all(study, join(study, name), most)
    (pair,) = analyse(study, resamples=100).preferences[0].pairs
    path = evidence_path(study, "preference", "lora", "baseline")
    assert len(path) == pair.n_evidence and (path[-1] if path else 1.0) == pytest.approx(pair.e_value)
