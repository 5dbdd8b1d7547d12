"""Composites of a run against the same resamples taken by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.compare import compare, statistics_for
from core.composite.measured import composites
from core.errors import InputError
from core.measuring import RESAMPLES
from core.spec import CompositeSpec
from core.stats import bootstrap_weights, percentile_interval
from core.store import Run
from tests.core import mini
from tests.synthetic import make_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(
        tmp_path_factory.mktemp("composite") / "run",
        n=40,
        variants=("baseline", "qv-r8", "qv-r2"),
        tasks=("category", "reply", "general"),
    )


def declared(run: Run, **specs: CompositeSpec) -> Run:
    opened = Run(run.folder)
    opened.__dict__["spec"] = run.spec.model_copy(update={"composites": specs})
    return opened


DESK = CompositeSpec(weights={"category/accuracy": 2, "reply/perplexity": 1}, scale={"reply/perplexity": (50, 2)})
WIDE = CompositeSpec(weights={"category/accuracy": 1, "general/perplexity": 3}, scale={"general/perplexity": (60, 2)})


def test_no_composite_is_declared_by_default(made: Run) -> None:
    assert composites(made) == ()


def test_value_and_intervals_are_those_of_the_same_resamples(made: Run) -> None:
    found = composites(declared(made, desk=DESK))[0]
    weights = bootstrap_weights(40, RESAMPLES, made.spec.settings.seed).astype(float)
    drawn = {}
    for variant in made.spec.models.variants:
        right, nats = (
            statistics_for(made, *key, variant).array for key in (("category", "accuracy"), ("reply", "perplexity"))
        )

        def value(w: np.ndarray, right: np.ndarray = right, nats: np.ndarray = nats) -> np.ndarray:
            share, sums = (w @ right)[:, 0] / w.sum(axis=1), w @ nats
            perplexity = np.exp(sums[:, 0] / sums[:, 1])
            return (2 * share + np.clip((50 - perplexity) / 48, 0, 1)) / 3

        drawn[variant] = value(weights)
        shown = found.row.values[variant]
        assert shown.value == pytest.approx(float(value(np.ones((1, 40)))[0]))
        assert (shown.low, shown.high) == pytest.approx(percentile_interval(drawn[variant], 0.95)[:2])
    difference = found.row.differences["qv-r8"]
    assert (difference.low, difference.high) == pytest.approx(
        percentile_interval(drawn["qv-r8"] - drawn["baseline"], 0.95)[:2]
    )
    assert difference.verdict == "better" and difference.p_adjusted is not None and found.row.key == "composite/desk"


def test_parts_of_different_datasets_lie_in_blocks(made: Run) -> None:
    found = composites(declared(made, wide=WIDE))[0]
    assert found.row.values["baseline"].n == 40 + 20
    weights = bootstrap_weights(60, RESAMPLES, made.spec.settings.seed).astype(float)
    right = statistics_for(made, "category", "accuracy", "qv-r2").array
    sums = weights[:, 40:] @ statistics_for(made, "general", "perplexity", "qv-r2").array
    share = (weights[:, :40] @ right)[:, 0] / weights[:, :40].sum(axis=1)
    drawn = (share + 3 * np.clip((60 - np.exp(sums[:, 0] / sums[:, 1])) / 58, 0, 1)) / 4
    value = found.row.values["qv-r2"]
    assert (value.low, value.high) == pytest.approx(percentile_interval(drawn, 0.95)[:2])


def test_parts_state_weight_scale_and_values(made: Run) -> None:
    found = composites(declared(made, desk=DESK))[0]
    accuracy, perplexity = found.parts
    rows = compare(made)
    assert (accuracy.share, accuracy.worst, accuracy.best, accuracy.declared_scale) == pytest.approx(
        (2 / 3, 0, 1, False)
    )
    assert (perplexity.worst, perplexity.best, perplexity.declared_scale) == (50, 2, True)
    for variant in made.spec.models.variants:
        value = rows.row("reply/perplexity").values[variant].value
        assert value is not None and perplexity.values[variant].value == pytest.approx(value)
        assert perplexity.scaled[variant] == pytest.approx((50 - value) / 48)
    assert sum((part.scaled["qv-r8"] or 0) * part.share for part in found.parts) == pytest.approx(
        found.row.values["qv-r8"].value
    )


def test_all_composites_are_one_family(made: Run) -> None:
    alone = composites(declared(made, desk=DESK))[0].row.differences["qv-r2"]
    both = composites(declared(made, desk=DESK, wide=WIDE))
    assert both[0].row.differences["qv-r2"].p == alone.p
    p = sorted(one.p or 0 for result in both for one in result.row.differences.values())
    last = max(one.p_adjusted or 0 for result in both for one in result.row.differences.values())
    assert last == pytest.approx(p[-1]) and len(p) == 4


def test_the_reference_can_be_another_and_examples_filtered(made: Run) -> None:
    run = declared(made, desk=DESK)
    there, back = composites(run)[0].row.differences["qv-r8"], composites(run, "qv-r8")[0].row.differences["baseline"]
    assert back.difference == pytest.approx(-(there.difference or 0)) and back.p == pytest.approx(there.p)
    few = composites(run, where=lambda example: "hard=false" in example.tags)[0]
    assert 0 < few.row.values["baseline"].n < 40
    none = composites(run, where=lambda example: False)[0].row
    assert none.values["baseline"].value is None
    assert none.values["baseline"].reason == "category/accuracy has no value: no example is left by the filter"
    with pytest.raises(InputError, match="no variant 'qv-r3'"):
        composites(run, "qv-r3")


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({"urgency/mae": 1.0}, "urgency/mae is not part of this run"),
        ({"category/accuracy": 1.0, "reply/meteor": 1.0}, "reply/meteor is not part of this run"),
        ({"general/perplexity": 1.0}, "general/perplexity has no best or worst value, and no scale was declared"),
    ],
)
def test_a_part_that_cannot_be_had_gives_no_value_and_says_why(
    made: Run, weights: dict[str, float], reason: str
) -> None:
    found = composites(declared(made, gone=CompositeSpec(weights=weights)))[0]
    assert found.parts == () and found.dependence is None
    assert all(value.value is None and value.reason == reason for value in found.row.values.values())
    assert all(one.verdict == "none" and one.reason == reason for one in found.row.differences.values())


def missing_run(folder: Path, lacking: dict[str, set[int]]) -> Run:
    """Two tasks on the same 40 examples; evidence of the second is missing for some examples of some variants."""
    rng = np.random.default_rng(2)
    tasks = {name: mini.task(metrics=["accuracy"]) for name in ("a", "b")}
    examples = [mini.example(task, i, "yes") for task in tasks for i in range(40)]
    evidence = [
        mini.failed(task, variant, i) if task == "b" and i in lacking.get(variant, set()) else
        mini.chosen(task, variant, i, "yes" if rng.random() < share else "no")
        for variant, share in (("baseline", 0.4), ("lora", 0.7)) for task in tasks for i in range(40)
    ]  # fmt: skip
    return declared(
        mini.write(folder, mini.spec(tasks), examples, evidence),
        both=CompositeSpec(weights={"a/accuracy": 1, "b/accuracy": 1}),
    )


def test_a_difference_is_over_the_examples_that_both_have_part_by_part(tmp_path: Path) -> None:
    run = missing_run(tmp_path / "run", {"lora": set(range(10)), "baseline": {20}})
    row = composites(run)[0].row
    right = {
        (task, v): statistics_for(run, task, "accuracy", v).array[:, 0] for task in "ab" for v in ("baseline", "lora")
    }
    own = (right["a", "lora"].mean() + right["b", "lora"][10:].mean()) / 2
    assert row.values["lora"].value == pytest.approx(own)
    paired = [i for i in range(10, 40) if i != 20]
    expected = (
        (right["a", "lora"] - right["a", "baseline"]).mean()
        + (right["b", "lora"] - right["b", "baseline"])[paired].mean()
    ) / 2
    assert row.differences["lora"].difference == pytest.approx(expected)
    assert row.differences["lora"].low is not None and row.differences["lora"].p is not None


def test_a_part_without_any_value_names_itself(tmp_path: Path) -> None:
    found = composites(missing_run(tmp_path / "run", {"lora": set(range(40))}))[0]
    assert found.row.values["lora"].reason == "b/accuracy has no value: out of memory"
    assert found.row.values["baseline"].value is not None
    assert found.row.differences["lora"].difference is None and found.dependence is None
    assert found.parts[1].scaled["lora"] is None
