from __future__ import annotations

import numpy as np
import pytest

from core.contrasts import measure
from core.metrics.metric import Metric, Statistics
from core.panels import Panel
from core.resampler import Resampler
from core.slice_measures import measure_slices
from core.stats import influence_difference_interval, influence_interval, mean_t_test
from tests.core.made_metrics import Auc, Mean, Path, Ratio, SmoothAuc, statistics
from tests.core.test_contrasts import made_ratio, scored

N = 400
RNG = np.random.default_rng(77)
MASKS = {
    "all": np.ones(N, dtype=bool),
    "half": np.arange(N) < 200,
    "some": RNG.random(N) < 0.2,
    "few": np.arange(N) < 9,
}
MISSING = {"base": np.arange(N) % 11 == 3, "other": np.arange(N) % 7 == 2}


def draws(groups: list[str] | None = None) -> Resampler:
    return Resampler(N, groups, seed=1, resamples=2_000, trials=2_000)


def panel(metric: Metric, base: Statistics, other: Statistics) -> Panel:
    return Panel(metric, {"base": base, "other": other}, np.ones(N, dtype=bool))


def ratio_panel() -> Panel:
    made = {name: made_ratio(seed, N, gain) for name, seed, gain in (("base", 1, 0), ("other", 2, 0.1))}
    return panel(Ratio(), *(statistics(made[name], missing=MISSING[name]) for name in ("base", "other")))


@pytest.mark.parametrize("groups", [None, [f"g{i // 4}" for i in range(N)]])
def test_a_slice_is_what_its_examples_alone_would_give(groups: list[str] | None) -> None:
    whole = ratio_panel()
    found = measure_slices([whole], "base", MASKS, draws(groups), 0.95)
    value = Ratio().value
    for name, mask in MASKS.items():
        inside = {variant: mask & ~MISSING[variant] for variant in ("base", "other")}
        pair = inside["base"] & inside["other"]
        a, b = (whole.statistics[variant].array for variant in ("base", "other"))
        one = found[name][0]
        for variant, array in (("base", a), ("other", b)):
            cut = inside[variant]
            some = None if groups is None else [groups[i] for i in np.flatnonzero(cut)]
            expected = influence_interval(array[cut], value, groups=some)
            told = one.values[variant]
            assert told.value == pytest.approx(value(array[cut].sum(axis=0)))
            assert (told.low, told.high) == pytest.approx((expected.low, expected.high))
            assert (told.n, told.n_missing) == (cut.sum(), (mask & ~cut).sum())
        some = None if groups is None else [groups[i] for i in np.flatnonzero(pair)]
        expected = influence_difference_interval(a[pair], b[pair], value, groups=some)
        difference = one.differences["other"]
        assert (difference.low, difference.high) == pytest.approx((expected.low, expected.high))
        assert difference.n == pair.sum()
        assert (difference.p is None) == (name == "few")
    assert found["few"][0].differences["other"].reason == "too few examples (n = 7, at least 15)"


def test_p_is_student_s_for_a_mean() -> None:
    a, b = np.random.default_rng(1).normal(size=(2, N))
    some = panel(Mean(), *(statistics(np.column_stack([x, np.ones(N)])) for x in (a, b)))
    found = measure_slices([some], "base", MASKS, draws(), 0.95)["some"][0].differences["other"]
    referee = mean_t_test((b - a)[MASKS["some"]])
    assert found.p == pytest.approx(referee.p, rel=1e-6)
    assert (found.low, found.high) == pytest.approx((referee.low, referee.high))


def test_rates_are_those_of_the_comparison() -> None:
    class Rate(Mean):
        test = "rate"
        bounds = (0.0, 1.0)

    made = [statistics(np.column_stack([RNG.random(N) < rate, np.ones(N)]), missing=MISSING[name])
            for name, rate in (("base", 0.5), ("other", 0.6))]  # fmt: skip
    some = panel(Rate(), *made)
    found = measure_slices([some], "base", MASKS, draws(), 0.95)
    for name in ("all", "half", "some"):
        alone = measure([some.within(MASKS[name])], "base", draws().within(MASKS[name]), 0.95)[0]
        assert found[name][0] == alone
    assert found["all"][0].differences["other"].method == "mid-p McNemar, Tango interval"


def test_ordered_metrics_by_their_influences_or_a_short_bootstrap() -> None:
    base, other = (statistics(scored(seed, N, skill), missing=MISSING[name])
                   for name, seed, skill in (("base", 1, 1.0), ("other", 2, 1.4)))  # fmt: skip
    smooth = measure_slices([panel(SmoothAuc(), base, other)], "base", MASKS, draws(), 0.95)
    drawn = measure_slices([panel(Auc(), base, other)], "base", MASKS, draws(), 0.95)
    exact = measure([panel(Auc(), base, other)], "base", draws(), 0.95)[0]
    for name in ("all", "half", "some"):
        one, two = smooth[name][0], drawn[name][0]
        assert one.values["other"].value == pytest.approx(two.values["other"].value)
        assert one.values["other"].low == pytest.approx(two.values["other"].low, abs=0.03)
        assert one.differences["other"].p == pytest.approx(two.differences["other"].p, abs=0.1)
        assert two.values["base"].method == "bootstrap (500 resamples)"
    assert smooth["all"][0].values["base"].value == pytest.approx(exact.values["base"].value)
    assert smooth["all"][0].differences["other"].difference == pytest.approx(exact.differences["other"].difference)


def test_what_has_no_interval_or_no_value_says_why() -> None:
    some = panel(Path(), *(statistics(RNG.normal(size=(N, 1))) for _ in range(2)))
    masks = {"half": MASKS["half"], "empty": np.zeros(N, dtype=bool)}
    found = measure_slices([some, ratio_panel()], "base", masks, draws(), 0.95)
    assert found["half"][0].values["base"].method == "none: it depends on the whole path"
    assert found["half"][0].differences["other"].p is None
    for one in found["empty"]:
        assert (one.values["base"].value, one.values["base"].reason) == (None, "no example is left by the filter")
        assert one.differences["other"].verdict == "none"
    assert measure_slices([some], "base", {}, draws(), 0.95) == {}


def test_values_of_different_signatures_are_not_differenced() -> None:
    array = made_ratio(1, N)
    some = panel(Ratio(), statistics(array, "one"), statistics(array, "two"))
    difference = measure_slices([some], "base", MASKS, draws(), 0.95)["all"][0].differences["other"]
    assert difference.reason == "the two are computed differently: two and one"


def test_slices_keep_their_level() -> None:
    """Slices of 50 examples without any true difference, a value of the corpus: no more than 6.5 % at 5 %."""
    slices, size = 400, 50
    n = slices * size
    masks = {str(i): np.repeat(np.arange(slices) == i, size) for i in range(slices)}
    p = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        lengths = rng.integers(5, 60, n)
        ease = rng.gamma(2, 1, n)
        made = [statistics(np.column_stack([lengths * (ease + rng.normal(0, 0.4, n)), lengths])) for _ in range(2)]
        some = Panel(Ratio(), dict(zip(("base", "other"), made, strict=True)), np.ones(n, dtype=bool))
        found = measure_slices([some], "base", masks, Resampler(n, None, seed=0, resamples=1, trials=1), 0.95)
        p += [one[0].differences["other"].p for one in found.values()]
    assert 0.03 <= np.mean(np.array(p) <= 0.05) <= 0.065
