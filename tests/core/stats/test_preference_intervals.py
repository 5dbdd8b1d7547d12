from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import norm

from core.stats import bootstrap_weights, bradley_terry, preference_intervals
from core.stats.preference.fitting import fit_batch

NAMES = ["base", "lora", "full"]
PAIRS = np.array([[0, 1], [0, 2], [1, 2]])


@dataclass(frozen=True)
class Study:
    """Ratings simulated from Davidson's model; two raters an item, who say the same in half of the cases."""

    strengths: tuple[float, ...] = (0.5, 0.0, -0.5)
    position: float = 0.3
    tie: float = 0.6
    n_items: int = 120

    def rated(self, studies: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return sides (studies, ratings, 2), verdicts (studies, ratings: 0 left, 1 right, 2 tie) and items (ratings,)."""
        generator = np.random.default_rng(seed)
        items = np.repeat(np.arange(self.n_items), 2)
        shape = (studies, len(items))
        pairs = PAIRS[items % 3]
        strengths = np.array(self.strengths)
        first_is_left = generator.random(shape) < 0.5
        x = strengths[pairs[:, 0]] - strengths[pairs[:, 1]] + np.where(first_is_left, 1, -1) * self.position
        chances = np.stack([np.exp(x / 2), np.full(shape, self.tie), np.exp(-x / 2)], axis=-1)
        edges = np.cumsum(chances, axis=-1) / chances.sum(axis=-1, keepdims=True)
        shared = np.repeat(generator.random((studies, self.n_items)), 2, axis=1)
        alike = np.repeat(generator.random((studies, self.n_items)) < 0.5, 2, axis=1)
        drawn = np.where(alike, shared, generator.random(shape))
        verdict = (drawn > edges[..., 0]).astype(int) + (drawn > edges[..., 1])
        first_won, tied = verdict == 0, verdict == 1
        sides = np.where(first_is_left[..., None], pairs, pairs[:, ::-1])
        return sides, np.where(tied, 2, (first_won != first_is_left).astype(int)), items


def _intervals(sides, verdicts, items, **options):
    names = np.array(NAMES)[sides]
    return preference_intervals(names[:, 0], names[:, 1], np.eye(3)[verdicts], items, variants=NAMES, **options)


def _drawn(study: Study, sides, verdicts, items, resamples: int) -> np.ndarray:
    """Return strengths and position in each resample of every study, (studies, resamples, 4): all of them in one batch."""
    orders = np.concatenate([PAIRS, PAIRS[:, ::-1]])
    matrix = np.column_stack([np.eye(3)[orders[:, 0]] - np.eye(3)[orders[:, 1]], np.ones(6)])
    row = (sides[..., None, :] == orders).all(axis=-1).argmax(axis=-1)
    by_item = np.zeros((len(sides), study.n_items, 18))
    np.add.at(by_item, (np.arange(len(sides))[:, None], items, 3 * row + verdicts), 1)
    counts = [
        bootstrap_weights(study.n_items, resamples, seed).astype(float) @ rated for seed, rated in enumerate(by_item)
    ]
    start = np.array([*study.strengths, study.position, np.log(study.tie)])
    fit = fit_batch(matrix, np.concatenate(counts).reshape(-1, 6, 3), np.array([1.0, 1, 1, 0]), start, last_step=1e-5)
    assert fit.found.all()
    return fit.parameters.reshape(len(sides), resamples, 4)


def test_intervals_cover_the_truth_in_95_of_100_studies():
    study = Study()
    sides, verdicts, items = study.rated(1_200, seed=11)
    truth = np.array([*study.strengths, study.position])
    low, high = np.quantile(_drawn(study, sides, verdicts, items, 120), [0.025, 0.975], axis=1, method="weibull")
    coverage = np.mean((low <= truth) & (truth <= high), axis=0)
    assert np.all((coverage >= 0.93) & (coverage <= 0.97)), coverage
    naive = []
    for number in range(300):
        names = np.array(NAMES)[sides[number]]
        found = bradley_terry(names[:, 0], names[:, 1], np.eye(3)[verdicts[number]], variants=NAMES, position=True)
        naive.append(np.abs(found.strengths - truth[:3]) <= norm.isf(0.025) * found.standard_errors)
    # What the clusters are for: as if raters were independent, one study in ten misses.
    assert np.mean(naive) < 0.92
    # The batch above is what the public function does, study by study.
    for number in range(10):
        found = _intervals(sides[number], verdicts[number], items, position=True, resamples=120, seed=number)
        bounds = np.array([[i.low, i.high] for i in (*found.strengths, found.position)])
        assert bounds == pytest.approx(np.stack([low[number], high[number]], axis=1), abs=1e-6)
        assert all(rank.best <= place <= rank.worst for place, rank in enumerate(found.ranks, start=1))


def test_ranks_of_equal_variants_hold_together():
    sides, verdicts, items = Study(strengths=(0.0, 0.0, 0.0), position=0.0).rated(300, seed=12)
    certain = 0
    for number in range(300):
        found = _intervals(sides[number], verdicts[number], items, resamples=200, seed=number)
        certain += any((rank.best, rank.worst) != (1, 3) for rank in found.ranks)
    # At most one in twenty, and room for what 300 studies may show.
    assert certain <= 28


def test_resamples_are_those_of_repeated_items():
    sides, verdicts, items = (part[0] if part.ndim > 1 else part for part in Study(n_items=60).rated(1, seed=13))
    found = _intervals(sides, verdicts, items, position=True, resamples=20, seed=3)
    names, one_hot, drawn = np.array(NAMES)[sides], np.eye(3)[verdicts], []
    for weights in bootstrap_weights(60, 20, 3):
        counts = one_hot * weights[items][:, None]
        again = bradley_terry(names[:, 0], names[:, 1], counts, variants=NAMES, position=True)
        drawn.append([*again.strengths, again.position])
    bounds = np.quantile(drawn, [0.025, 0.975], axis=0, method="weibull")
    assert [i.low for i in (*found.strengths, found.position)] == pytest.approx(list(bounds[0]), abs=1e-7)
    assert [i.high for i in (*found.strengths, found.position)] == pytest.approx(list(bounds[1]), abs=1e-7)


def test_swapping_every_pair_changes_no_interval():
    sides, verdicts, items = (part[0] if part.ndim > 1 else part for part in Study().rated(1, seed=14))
    one = _intervals(sides, verdicts, items, position=True, resamples=100)
    other = _intervals(sides[:, ::-1], np.array([1, 0, 2])[verdicts], items, position=True, resamples=100)
    for left, right in zip(one.strengths, other.strengths, strict=True):
        assert (left.low, left.high) == pytest.approx((right.low, right.high), abs=1e-6)
    assert (one.position.low, one.position.high) == pytest.approx((-other.position.high, -other.position.low), abs=1e-6)
    assert one.ranks == other.ranks
    assert one.difference_low == pytest.approx(-one.difference_high.T)


def test_summed_rows_are_the_same_as_single_ones():
    sides, verdicts, items = (part[0] if part.ndim > 1 else part for part in Study().rated(1, seed=15))
    single = _intervals(sides, verdicts, items, resamples=50)
    doubled = preference_intervals(
        np.array(NAMES)[sides][:, 0],
        np.array(NAMES)[sides][:, 1],
        3 * np.eye(3)[verdicts],
        [str(item) for item in items],
        variants=NAMES,
        resamples=50,
    )
    # Three times the same ratings of the same items say nothing new.
    for one, other in zip(single.strengths, doubled.strengths, strict=True):
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-6)


def test_too_many_resamples_without_an_estimate_give_no_bounds():
    # Lost once in ten items: a third of the resamples never draw that item.
    found = preference_intervals(["a"] * 10, ["b"] * 10, [[1, 0]] * 9 + [[0, 1]], range(10), resamples=300)
    assert found.fit.strengths is not None
    assert found.strengths[0].low is None
    assert found.strengths[0].n_undefined == pytest.approx(0.9**10 * 300, abs=40)
    assert "have no finite estimate; more ratings are needed" in found.strengths[0].method
    assert (found.ranks, found.difference_low, found.position) == ((), None, None)


def test_what_no_interval_can_be_made_of_is_said():
    nothing = preference_intervals(["a"], ["b"], [[3, 0]], ["item"])
    assert (nothing.fit.reason, nothing.strengths) == ("undefined: a never lost to b", ())
    one = preference_intervals(["a", "a"], ["b", "b"], [[3, 1], [1, 1]], ["item", "item"])
    assert one.strengths[0].method == "none: one item alone shows no uncertainty"
    alike = preference_intervals(["a", "a"], ["b", "b"], [[3, 1], [3, 1]], ["x", "y"], position=False)
    assert alike.strengths[0].method == "none: the items show no differences to resample"


@pytest.mark.parametrize(
    ("items", "options", "message"),
    [
        (["x"], {}, "one cluster for each of the 2"),
        (["x", "y"], {"level": 1}, "level must lie between"),
        (["x", "y"], {"resamples": 0}, "resamples"),
    ],
)
def test_bad_input(items, options, message):
    with pytest.raises(ValueError, match=message):
        preference_intervals(["a", "b"], ["b", "a"], [[3, 1], [2, 1]], items, **options)
