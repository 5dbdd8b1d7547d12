from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.ratings.analysis.scores import score_analysis
from core.ratings.records import STANDARD_CRITERIA
from tests.core.ratings.analysis import made
from tests.core.ratings.analysis.made import SETTINGS

CRITERIA = STANDARD_CRITERIA[:2]


def _study(n: int = 20, raters: tuple[str, ...] = ("Ana", "Ben"), better: int = 1):
    rng = np.random.default_rng(7)
    items, own = [], []
    for at in range(n):
        for variant in ("base", "lora"):
            items.append(made.item(f"{at}{variant}", (variant,), example_id=f"e{at}", group=f"e{at}"))
            for rater in raters:
                for criterion in CRITERIA:
                    value = int(rng.integers(1, 4)) + better * (variant == "lora")
                    own.append(made.answer(f"{at}{variant}", rater, (variant,), value, criterion=criterion.name,
                                           example_id=f"e{at}", group=f"e{at}"))  # fmt: skip
    return made.rated(items, own, mode="score", criteria=CRITERIA)


def test_means_and_paired_differences_average_raters_within_an_item_first():
    rated = _study()
    found = score_analysis(rated, SETTINGS, None)
    assert [(row.criterion, row.variant) for row in found.rows] == [
        (criterion.name, variant) for criterion in CRITERIA for variant in ("base", "lora")
    ]
    own = rated.own[rated.own["criterion"] == "fluency"].assign(value=lambda frame: frame["value"].astype(float))
    means = own.groupby(["example_id", "variant_left"])["value"].mean().unstack()
    base, lora = found.rows[:2]
    assert base.difference is None and base.p is None
    assert lora.mean.value == pytest.approx(means["lora"].mean()) and lora.mean.n == 20
    gaps = means["lora"] - means["base"]
    assert lora.difference.value == pytest.approx(gaps.mean())
    half = 1.96 * gaps.std() / 20**0.5
    assert lora.difference.low == pytest.approx(gaps.mean() - half, abs=0.12)
    assert lora.difference.high == pytest.approx(gaps.mean() + half, abs=0.12)
    assert sum(lora.levels) == 40 and lora.levels[0] == 0 and lora.p < lora.p_adjusted < 0.05


def test_criteria_are_averaged_only_by_weights():
    rated = _study()
    assert score_analysis(rated, SETTINGS, None).weighted == ()
    found = score_analysis(rated, SETTINGS, {"fluency": 3, "relevance": 1})
    assert found.weights == (("fluency", 0.75), ("relevance", 0.25))
    of = {(row.criterion, row.variant): row.mean.value for row in found.rows}
    assert found.weighted[1].mean.value == pytest.approx(0.75 * of["fluency", "lora"] + 0.25 * of["relevance", "lora"])
    assert found.weighted[1].difference.value > 0 and found.weighted[1].levels == ()


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (
            {"fluenc": 1},
            r"Found a weight for 'fluenc' \(did you mean 'fluency'\?\); the study asks for fluency, relevance",
        ),
        ({"fluency": 0}, "Found the weight 0 of 'fluency', expected a number above 0"),
        ({"fluency": float("nan")}, "Found the weight nan of 'fluency', expected a number above 0"),
    ],
)
def test_wrong_weights_are_refused(weights: dict[str, float], sentence: str):
    with pytest.raises(InputError, match=sentence):
        score_analysis(_study(2), SETTINGS, weights)


def test_weights_belong_to_scores():
    with pytest.raises(InputError, match="Weights are for scores; study 'Made' is of mode 'pair'"):
        score_analysis(made.rated([made.item("a")], []), SETTINGS, {"preference": 1})


def test_no_variation_has_no_interval_and_says_so():
    cells = [(f"e{at}", variant) for at in range(5) for variant in ("base", "lora")]
    items = [made.item(name + v, (v,), example_id=name, group=name) for name, v in cells]
    own = [made.answer(name + v, "Ana", (v,), 3, criterion="fluency", example_id=name, group=name) for name, v in cells]
    rated = made.rated(items, own, mode="score", criteria=CRITERIA[:1])
    base, lora = score_analysis(rated, SETTINGS, None).rows
    assert (base.mean.value, base.mean.low, lora.difference.value, lora.difference.low) == (3.0, None, 0.0, None)
    assert "no differences to resample" in lora.difference.reason


def test_nobody_scored():
    rated = made.rated([made.item("a", ("base",))], [], mode="score", criteria=CRITERIA[:1])
    rows = score_analysis(rated, SETTINGS, {"fluency": 1})
    assert all(row.mean.value is None and "nobody scored" in row.mean.reason for row in (*rows.rows, *rows.weighted))
