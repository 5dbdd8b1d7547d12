"""sacrebleu's own significance figures on WMT17 English-German, by its sentence statistics (see tests/golden)."""

from pathlib import Path

import numpy as np
import pytest

from core.metrics.registry import get_metric
from core.resampler import Masked, Resampler, SwapJob
from core.stats import swap_test

KEPT = Path(__file__).parents[2] / "golden" / "wmt17_en_de_bleu.npz"
BLEU = get_metric("bleu")


@pytest.fixture(scope="module")
def systems() -> dict[str, np.ndarray]:
    with np.load(KEPT, allow_pickle=False) as kept:
        return dict(zip(kept["systems"].tolist(), kept["statistics"].astype(np.float64), strict=True))


def test_golden_approximate_randomisation(golden, systems):
    case = golden["sacrebleu_paired_tests"]
    others = list(case["approximate_randomisation_p"])
    n = len(systems["LIUM"])
    everyone = np.ones(n, dtype=bool)
    base = Masked(systems["LIUM"], everyone)
    job = SwapJob(BLEU, [base] * len(others), [Masked(systems[name], everyone) for name in others])
    p = Resampler(n, None, seed=1, resamples=1, trials=100_000).swap([job])[0]
    for name, found in zip(others, p, strict=True):
        assert found == pytest.approx(case["approximate_randomisation_p"][name], abs=case["tolerance"]), name


def test_the_public_swap_test_is_the_same_test(systems):
    base, other = systems["LIUM"], systems["KIT"]
    everyone = np.ones(len(base), dtype=bool)
    job = SwapJob(BLEU, [Masked(base, everyone)], [Masked(other, everyone)])
    shared = Resampler(len(base), None, seed=2, resamples=1, trials=10_000).swap([job])[0][0]
    assert swap_test(base, other, BLEU.value, trials=10_000, seed=2).p == pytest.approx(shared)
