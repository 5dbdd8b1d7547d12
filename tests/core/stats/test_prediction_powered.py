import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.weightstats import DescrStatsW

from core.stats import prediction_powered_mean


def _study(generator, n: int, m: int, judge_noise: float, studies: int = 2_000):
    """Return human labels and a judge who is 0.1 too kind, for n labelled and m unlabelled items of each study."""
    quality = generator.normal(size=(studies, n + m))
    human = (quality + generator.normal(0, 0.2, size=quality.shape) > 0.2).astype(float)
    judge = (quality + generator.normal(0, judge_noise, size=quality.shape) > -0.1).astype(float)
    return human[:, :n], judge[:, :n], judge[:, n:]


@pytest.mark.parametrize("tuned", [False, True])
@pytest.mark.parametrize("judge_noise", [0.1, 5.0])
def test_interval_covers_what_people_would_say(tuned, judge_noise):
    truth = norm.sf(0.2 / np.sqrt(1.04))
    human, judge, rest = _study(np.random.default_rng(1), 100, 500, judge_noise)
    found = [prediction_powered_mean(*rows, tuned=tuned) for rows in zip(human, judge, rest, strict=True)]
    assert 0.93 <= np.mean([f.low <= truth <= f.high for f in found]) <= 0.97
    assert np.mean([f.value for f in found]) == pytest.approx(truth, abs=0.005)
    # The judge alone is wrong by more than its interval is wide.
    assert abs(rest.mean() - truth) > 0.05
    width = np.mean([f.high - f.low for f in found]) / np.mean([f.human_high - f.human_low for f in found])
    if judge_noise < 1:
        assert width < 0.9
    elif tuned:
        assert width == pytest.approx(1, abs=0.02)
    else:
        assert width > 1.2


def test_a_judge_who_is_always_right_counts_as_many_more_labels():
    human, rest = np.array([1.0, 0, 1, 1]), np.array([0.0, 1, 1, 0, 1, 1, 0, 1])
    found = prediction_powered_mean(human, human, rest)
    low, high = DescrStatsW(rest).zconfint_mean()
    assert (found.value, found.low, found.high) == pytest.approx((rest.mean(), low, high))
    assert found.judge_bias == 0


@pytest.mark.parametrize("tuned", [False, True])
def test_a_judge_who_always_says_the_same_adds_nothing(tuned):
    human = np.array([1.0, 0, 1, 1, 0])
    found = prediction_powered_mean(human, np.full(5, 0.9), np.full(40, 0.9), tuned=tuned)
    low, high = DescrStatsW(human).zconfint_mean()
    assert (found.value, found.low, found.high) == pytest.approx((0.6, low, high))
    assert (found.human_value, found.human_low, found.human_high) == pytest.approx((0.6, low, high))
    assert found.judge_weight == (0 if tuned else 1)


def test_shifting_the_judge_changes_nothing_but_the_bias():
    human, judge, rest = (rows[0] for rows in _study(np.random.default_rng(2), 50, 80, 0.5, studies=1))
    one, other = prediction_powered_mean(human, judge, rest), prediction_powered_mean(human, judge + 3, rest + 3)
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
    assert other.judge_bias == pytest.approx(one.judge_bias + 3)
    assert (one.n_labelled, one.n_unlabelled) == (50, 80)


def test_exchanging_the_variants_mirrors_the_win_rate():
    human, judge, rest = (rows[0] for rows in _study(np.random.default_rng(3), 50, 80, 0.5, studies=1))
    one, other = prediction_powered_mean(human, judge, rest), prediction_powered_mean(1 - human, 1 - judge, 1 - rest)
    assert (one.value, one.low, one.high) == pytest.approx((1 - other.value, 1 - other.high, 1 - other.low))


def test_a_judge_who_says_the_opposite_is_not_used():
    human = np.tile([1.0, 0], 20)
    assert prediction_powered_mean(human, 1 - human, np.tile([1.0, 0], 50), tuned=True).judge_weight == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 0], [1], [1, 0]), "same items; found 2 and 1"),
        (([1], [1], [1, 0]), "found 1 and 2"),
        (([1, 0], [1, 0], [1]), "found 2 and 1"),
        (([], [], [1, 0]), "labelled_human is empty"),
        (([1, np.nan], [1, 0], [1, 0]), "labelled_human holds NaN"),
        (([1, 0], [1, 0], [1, np.nan]), "unlabelled_judge holds NaN"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        prediction_powered_mean(*arguments)
    with pytest.raises(ValueError, match="level"):
        prediction_powered_mean([1, 0], [1, 0], [1, 0], level=95)
