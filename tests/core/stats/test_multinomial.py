import numpy as np
import pytest
from scipy.stats import binom, chisquare, multinomial

from core.stats.multinomial import Multinomial


def drawn(units: int, rows: int, seed: int = 0) -> np.ndarray:
    counts = np.full((rows, units), np.nan, dtype=np.float32)
    Multinomial(units).draw(counts, np.random.SeedSequence(seed))
    return counts


@pytest.mark.parametrize("units", [1, 2, 9, 10, 100, 3_004, 70_000])
def test_each_row_is_as_many_draws_as_there_are_units(units: int) -> None:
    counts = drawn(units, 60)
    assert (counts.sum(axis=1) == units).all()
    assert (counts == np.rint(counts)).all()
    assert counts.min() >= 0


@pytest.mark.parametrize("units", [8, 11, 40, 400])
def test_a_count_is_binomial(units: int) -> None:
    rows = 800_000 // units
    # One unit of each row: those of a row are not independent.
    some = drawn(units, rows, seed=units)[np.arange(rows), np.arange(rows) % units]
    observed = np.bincount(some.astype(int), minlength=8)[:8]
    expected = binom.pmf(np.arange(8), units, 1 / units) * rows
    expected[4], observed[4] = rows - expected[:4].sum(), rows - observed[:4].sum()
    assert chisquare(observed[:5], expected[:5]).pvalue > 1e-3


def test_whole_rows_have_the_chances_of_the_multinomial() -> None:
    """Among eleven units the Poisson draws, the missing ones and rows with too many all take part: by each pattern's size."""
    rows, units = 200_000, 11
    counts = drawn(units, rows, seed=3)
    halves = np.stack([counts[:, :3].sum(axis=1), counts[:, 3:6].sum(axis=1)], axis=1).astype(int)
    observed = np.bincount(halves[:, 0] * (units + 1) + halves[:, 1], minlength=(units + 1) ** 2)
    first, second = np.divmod(np.arange((units + 1) ** 2), units + 1)
    rest = units - first - second
    possible = rest >= 0
    cells = np.stack([first, second, rest], axis=1)[possible]
    expected = multinomial.pmf(cells, units, [3 / 11, 3 / 11, 5 / 11]) * rows
    often = expected > 20
    assert not observed[~possible].any()
    seen, awaited = observed[possible][often], expected[often]
    assert chisquare(np.append(seen, rows - seen.sum()), np.append(awaited, rows - awaited.sum())).pvalue > 1e-3


def test_remainders_of_sixteen_bits_are_drawn_too() -> None:
    """Counts of 9 and more have a chance below one in 65,536: a table alone would never give them."""
    units = 3_004
    counts = drawn(units, 4_000, seed=1)
    expected = float(counts.size * binom.sf(8, units, 1 / units))
    assert np.count_nonzero(counts > 8) == pytest.approx(expected, abs=4 * expected**0.5)
    assert expected > 10


def test_every_unit_is_equally_likely_and_units_exclude_each_other() -> None:
    units, rows = 50, 40_000
    counts = drawn(units, rows, seed=5).astype(np.float64)
    assert chisquare(counts.sum(axis=0)).statistic < 1.5 * units
    assert np.cov(counts[:, 0], counts[:, -1])[0, 1] == pytest.approx(-1 / units, abs=4 / rows**0.5)
    assert counts.var(axis=0).mean() == pytest.approx(1 - 1 / units, rel=0.005)


@pytest.mark.parametrize("units", [5, 33, 3_004])
def test_fewer_rows_are_the_first_of_more(units: int) -> None:
    many = drawn(units, 64, seed=7)
    np.testing.assert_array_equal(drawn(units, 21, seed=7), many[:21])
    np.testing.assert_array_equal(drawn(units, 64, seed=7), many)
    assert not np.array_equal(drawn(units, 64, seed=8), many)


def test_rows_with_too_many_poisson_draws_are_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.stats.multinomial._MARGIN", 0.0)
    counts = drawn(100, 20_000, seed=2)
    assert (counts.sum(axis=1) == 100).all()
    assert counts.var() == pytest.approx(0.99, rel=0.01)
