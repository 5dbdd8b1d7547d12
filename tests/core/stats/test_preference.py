import warnings
from itertools import combinations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from core.stats import bradley_terry, elo_ratings

NAMES = ["基线", "lora_r8", "lora_r16", "full"]
COUNTS = st.integers(0, 6)
ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 3), COUNTS, COUNTS, COUNTS, COUNTS), min_size=1, max_size=14
)


def _baseball(case):
    """Yield home team, other team, wins and losses at home of every pair."""
    for home, row in zip(case["teams"], case["rows"], strict=True):
        others = [team for team in case["teams"] if team != home]
        for other, games in zip(others, row.split(), strict=True):
            yield home, other, [int(games[0]), int(games[1])]


def test_golden_davidson(golden):
    case = golden["davidson_ties"]
    rows = np.array(case["rows"])
    found = bradley_terry(rows[:, 0], rows[:, 1], rows[:, 2:])
    assert found.variants == (1, 2, 3, 4, 5, 6)
    assert found.worths == pytest.approx(case["worths"], abs=case["tolerance"])
    assert found.tie_parameter == pytest.approx(case["tie_parameter"], abs=case["tolerance"])
    assert found.n == rows[:, 2:].sum()


def test_golden_bradley_terry_with_order_effect(golden):
    case = golden["bradley_terry_with_order_effect"]
    home, other, games = zip(*_baseball(case), strict=True)
    plain = bradley_terry(home, other, games, variants=case["teams"])
    expected = case["abilities_without_home_term_relative_to_Baltimore"]
    assert (plain.strengths - plain.strengths[-1])[:-1] == pytest.approx(expected, abs=0.005)
    assert (plain.position, plain.position_error, plain.tie_parameter) == (None, None, None)
    at_home = bradley_terry(home, other, games, variants=case["teams"], position=True)
    assert at_home.position == pytest.approx(case["home_effect"], abs=0.0005)
    assert at_home.position_error == pytest.approx(case["home_effect_se"], abs=0.00005)
    assert at_home.worths == pytest.approx(case["shares_with_home_term"], abs=0.0005)


@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_equals_a_log_linear_model(position, ties):
    """The counts of each verdict are Poisson, with a constant for each pair: the same likelihood (Fienberg & Larntz, 1976)."""
    generator = np.random.default_rng(4)
    pairs = np.array([(a, b) for a in range(4) for b in range(4) if a != b])
    counts = generator.integers(1, 15, size=(len(pairs), 3 if ties else 2))
    found = bradley_terry([NAMES[a] for a in pairs[:, 0]], [NAMES[b] for b in pairs[:, 1]], counts, position=position)
    columns = []
    for row, (a, b) in enumerate(pairs):
        for verdict in range(counts.shape[1]):
            column = np.zeros(len(pairs) + 5)
            lean = (0.5, -0.5, 0.0)[verdict]
            column[row], column[len(pairs) + 4] = 1, verdict == 2
            for variant, sign in ((a, 1), (b, -1)):
                # Strengths that sum to 0: the last is minus the sum of the others.
                column[len(pairs) : len(pairs) + 3] += (
                    sign * lean * (np.eye(3)[variant] if variant < 3 else -np.ones(3))
                )
            column[len(pairs) + 3] = lean * position
            columns.append(column)
    design = np.array(columns)
    design = design[:, design.any(axis=0)]
    fit = sm.GLM(counts.ravel(), design, family=sm.families.Poisson()).fit(tol=1e-12, maxiter=100)
    order = [found.variants.index(name) for name in NAMES[:3]]
    start = len(pairs)
    assert found.strengths[order] == pytest.approx(fit.params[start : start + 3], abs=1e-7)
    assert found.covariance[np.ix_(order, order)] == pytest.approx(
        fit.cov_params()[start : start + 3, start : start + 3]
    )
    assert found.standard_errors[order] == pytest.approx(fit.bse[start : start + 3], rel=1e-5)
    if position:
        assert (found.position, found.position_error) == pytest.approx(
            (fit.params[start + 3], fit.bse[start + 3]), rel=1e-5
        )
    if ties:
        assert found.tie_parameter == pytest.approx(np.exp(fit.params[-1]), rel=1e-6)


def test_two_variants_have_a_closed_form():
    found = bradley_terry(["a", "b"], ["b", "a"], [[20, 10, 9], [5, 10, 6]])
    assert found.strengths == pytest.approx([np.log(2) / 2, -np.log(2) / 2], abs=1e-8)
    assert found.worths == pytest.approx([2 / 3, 1 / 3])
    # nu = ties / sqrt(wins x losses): two parameters for three counts.
    assert found.tie_parameter == pytest.approx(15 / np.sqrt(30 * 15))
    assert found.standard_errors[0] * 2 == pytest.approx(np.sqrt(1 / 30 + 1 / 15), rel=1e-6)


def _rated(rows):
    left = [NAMES[a] for a, *_ in rows]
    right = [NAMES[(a + step) % 4] for a, step, *_ in rows]
    return left, right, [row[2:] for row in rows]


@given(ROWS, st.booleans())
def test_swapping_every_pair_turns_the_position_alone(rows, position):
    left, right, counts = _rated(rows)
    one = bradley_terry(left, right, counts, variants=NAMES, position=position)
    mirrored = [[lost, won, tie, bad] for won, lost, tie, bad in counts]
    other = bradley_terry(right, left, mirrored, variants=NAMES, position=position)
    assert (one.strengths is None) == (other.strengths is None)
    if one.strengths is not None:
        assert other.strengths == pytest.approx(one.strengths, abs=1e-6)
        assert other.tie_parameter == pytest.approx(one.tie_parameter, abs=1e-6)
        if position:
            assert other.position == pytest.approx(-one.position, abs=1e-6)


@given(ROWS, st.booleans(), st.permutations(range(4)))
def test_names_and_order_of_variants_do_not_matter(rows, position, order):
    left, right, counts = _rated(rows)
    one = bradley_terry(left, right, counts, variants=NAMES, position=position)
    renamed = {NAMES[old]: f"v{new}" for new, old in enumerate(order)}
    other = bradley_terry(
        [renamed[name] for name in left],
        [renamed[name] for name in right],
        counts,
        variants=[f"v{new}" for new in range(4)],
        position=position,
    )
    assert (one.strengths is None) == (other.strengths is None)
    if one.strengths is not None:
        assert other.strengths == pytest.approx(one.strengths[list(order)], abs=1e-6)
        assert one.strengths.sum() == pytest.approx(0, abs=1e-9)
        assert one.worths.sum() == pytest.approx(1)


@given(ROWS)
def test_both_bad_is_a_tie(rows):
    left, right, counts = _rated(rows)
    summed = [[won, lost, tie + bad] for won, lost, tie, bad in counts]
    one, other = bradley_terry(left, right, counts), bradley_terry(left, right, summed)
    assert (one.reason, one.tie_parameter) == (other.reason, other.tie_parameter)


@given(ROWS)
def test_without_ties_an_estimate_exists_where_everybody_is_beaten_by_a_chain(rows):
    """Ford (1957): the graph of who beat whom is strongly connected."""
    left, right, counts = _rated(rows)
    beats = np.zeros((4, 4))
    for one, other, (won, lost, *_) in zip(left, right, counts, strict=True):
        beats[NAMES.index(one), NAMES.index(other)] += won
        beats[NAMES.index(other), NAMES.index(one)] += lost
    found = bradley_terry(left, right, [row[:2] for row in counts], variants=NAMES)
    assert (found.strengths is not None) == (connected_components(beats, connection="strong")[0] == 1)
    assert (found.reason is None) == (found.strengths is not None)


@given(ROWS, st.booleans())
def test_an_estimate_is_where_what_was_observed_is_what_is_expected(rows, position):
    left, right, counts = _rated(rows)
    found = bradley_terry(left, right, counts, variants=NAMES, position=position)
    if found.strengths is None:
        assert found.reason.startswith("undefined: ")
        return
    observed, expected = np.zeros(4), np.zeros(4)
    table = np.array(counts, dtype=float)
    for one, other, (won, lost, tie, bad) in zip(left, right, table, strict=True):
        a, b = NAMES.index(one), NAMES.index(other)
        x = found.strengths[a] - found.strengths[b] + (found.position or 0)
        chances = np.array([np.exp(x / 2), np.exp(-x / 2), found.tie_parameter])
        lead = (won + lost + tie + bad) * (chances[0] - chances[1]) / chances.sum()
        observed[[a, b]] += [won - lost, lost - won]
        expected[[a, b]] += [lead, -lead]
    assert expected == pytest.approx(observed, abs=1e-5)


@pytest.mark.parametrize(
    ("pairs", "counts", "position", "reason"),
    [
        (["ab"], [[0, 0]], False, "no comparisons"),
        ([], np.empty((0, 2)), False, "no comparisons"),
        (["ab"], [[0, 0, 4]], False, "every comparison is a tie"),
        (["ab"], [[3, 0]], False, "a never lost to b"),
        (["ab"], [[3, 0, 2]], False, "a never lost to b"),
        (["ab", "bc", "ca"], [[0, 3], [2, 2], [3, 0]], False, "a never won against b, c"),
        (["ab", "bc", "ac"], [[3, 0, 0], [2, 2, 1], [3, 0, 0]], False, "a never lost to or tied with b, c"),
        (["ab", "cd"], [[3, 1], [2, 2]], False, "a, b was never compared with c, d, not even by way of others"),
        (["ab"], [[3, 2]], True, "the sides were not exchanged enough to tell the left position"),
        (["ab", "bc"], [[3, 2], [3, 2]], True, "the sides were not exchanged enough"),
        (["ab", "ba"], [[3, 0], [2, 0]], True, "the left side never lost"),
        (["ab", "ba"], [[0, 3], [0, 2]], True, "the right side never lost"),
    ],
)
def test_what_has_no_estimate_is_said(pairs, counts, position, reason):
    found = bradley_terry([p[0] for p in pairs], [p[1] for p in pairs], counts, position=position)
    assert reason in found.reason
    assert (found.strengths, found.worths, found.standard_errors, found.tie_parameter) == (None,) * 4


def test_a_variant_that_was_never_shown_is_said():
    found = bradley_terry(["a"], ["b"], [[3, 2]], variants=["a", "b", "c"])
    assert found.reason == "undefined: a, b was never compared with c, not even by way of others"


def test_no_ties_given_is_a_tie_parameter_of_0():
    found = bradley_terry(["a"], ["b"], [[6, 2, 0]])
    assert found.tie_parameter == 0
    assert found.strengths == pytest.approx(bradley_terry(["a"], ["b"], [[6, 2]]).strengths)


def test_lopsided_counts_come_to_rest_without_a_warning():
    names = [f"v{i}" for i in range(8)]
    pairs = list(combinations(range(8), 2))
    counts = [[4 ** (b - a), 1, 1] for a, b in pairs]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = bradley_terry([names[a] for a, _ in pairs], [names[b] for _, b in pairs], counts)
    assert np.all(np.diff(found.strengths) < 0)


def test_strengths_too_far_apart_for_any_number_of_ratings_are_said():
    found = bradley_terry(["a"], ["b"], [[10**8, 1]])
    assert found.reason == "undefined: some strengths lie too far apart to be estimated"


def test_elo_is_a_scale():
    assert elo_ratings([np.log(10) / 2, -np.log(10) / 2]) == pytest.approx([1700, 1300])
    assert elo_ratings([3.0, 4.0, 8.0], mean=1000).mean() == pytest.approx(1000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], ["b"], [[1]]), r"found the shape \(1, 1\)"),
        ((["a"], ["b"], [1, 2]), "found the shape"),
        ((["a", "b"], ["b"], [[1, 2]]), "found 2, 1 and 1"),
        ((["a"], ["a"], [[1, 2]]), "compares 'a' with itself"),
        ((["a"], ["b"], [[1, -2]]), "found -2"),
        ((["a"], ["b"], [[1, np.nan]]), "found nan"),
        ((["a"], ["b"], [[1, 2]], ["a"]), "'b' was rated but is not among"),
        ((["a"], ["b"], [[1, 2]], ["a", "b", "a"]), "named once each"),
    ],
)
def test_bad_input(arguments, message):
    left, right, counts, *variants = arguments
    with pytest.raises(ValueError, match=message):
        bradley_terry(left, right, counts, variants=variants[0] if variants else None)
