import numpy as np
import pytest
import statsmodels.api as sm

from core.stats import cluster_standard_error
from core.stats.clusters import cluster_codes


def test_golden(golden):
    case = golden["cluster_standard_error"]
    values = [v for cluster in case["clusters"] for v in cluster]
    names = [f"c{i}" for i, cluster in enumerate(case["clusters"]) for _ in cluster]
    found = cluster_standard_error(values, names)
    assert found.naive == pytest.approx(case["naive"], abs=5e-8)
    assert found.clustered == pytest.approx(case["clustered"], abs=5e-8)
    assert found.clustered_small_sample == pytest.approx(case["clustered_small_sample"], abs=5e-8)
    assert (found.n, found.n_clusters) == (12, 4)


def test_equals_statsmodels_with_clusters_of_unequal_size():
    generator = np.random.default_rng(1)
    clusters = generator.integers(0, 7, size=60)
    values = generator.normal(size=60) + clusters
    found = cluster_standard_error(values, clusters)
    model = sm.OLS(values, np.ones(60))
    small = model.fit(cov_type="cluster", cov_kwds={"groups": clusters})
    plain = model.fit(cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False})
    assert found.clustered_small_sample == pytest.approx(small.bse[0], rel=1e-10)
    assert found.clustered == pytest.approx(plain.bse[0], rel=1e-10)


def test_examples_without_a_name_are_clusters_of_their_own():
    codes, n = cluster_codes(["a", None, "b", None, "a", float("nan")], 6)
    assert codes.tolist() == [0, 1, 2, 3, 0, 4]
    assert n == 5


def test_clusters_of_one_give_the_naive_error():
    values = np.random.default_rng(2).normal(size=30)
    found = cluster_standard_error(values, [None] * 30)
    assert found.clustered_small_sample == pytest.approx(found.naive, rel=1e-12)


@pytest.mark.parametrize(
    ("values", "clusters", "message"),
    [
        ([1.0, 2.0], ["a"], "one cluster for each of the 2 examples; found 1"),
        ([1.0, 2.0], ["a", "a"], "at least 2 clusters"),
        ([1.0, np.nan], ["a", "b"], "first at example 1"),
        ([], [], "empty"),
        ([[1.0]], ["a"], "one-dimensional"),
    ],
)
def test_bad_input(values, clusters, message):
    with pytest.raises(ValueError, match=message):
        cluster_standard_error(values, clusters)
