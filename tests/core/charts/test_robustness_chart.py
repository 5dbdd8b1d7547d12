"""The picture of drops, and the tables behind it and behind slices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.charts.robustness import drops_forest
from core.charts.tables import robustness_table, slices_table
from core.results import Difference, RobustnessRow, Value
from core.slices import Slice, SliceRow, SliceTable
from tests.comparisons import make_comparison

VARIANTS = ("baseline", "qv-r8")


def value(number: float) -> Value:
    return Value(number, number - 0.1, number + 0.1, 40, 0, None, "accuracy|v1", "Wilson")


def gap(number: float | None, verdict: str = "unclear") -> Difference:
    if number is None:
        return Difference(None, None, None, None, None, 0, "none", "not evaluated yet", "none")
    return Difference(number, number - 0.05, number + 0.05, 0.01, 0.02, 40, verdict, None, "mid-p McNemar")  # type: ignore[arg-type]


def row(name: str = "typos", label: str = "Typos <i>", adapter: Difference | None = None) -> RobustnessRow:
    return RobustnessRow(
        task="category", perturbation=name, perturbation_label=label, perturbation_family="noise", metric="accuracy",
        label="Accuracy", unit="share", higher_is_better=True, direction_free=False, part=None, n_changed=39,
        clean={v: value(0.8) for v in VARIANTS}, perturbed={v: value(0.6) for v in VARIANTS},
        drops={"baseline": gap(0.02), "qv-r8": adapter or gap(0.2, "worse")}, differences={"qv-r8": gap(0.18, "worse")},
    )  # fmt: skip


def test_each_drop_is_a_point_in_points_filled_where_it_is_told() -> None:
    figure = drops_forest([row(), row("case", "Case")], VARIANTS, VARIANTS, 0.95)
    points = figure.to_dict()["data"]
    assert [point["x"][0] for point in points] == pytest.approx([2, 20, 2, 20])
    assert [point["marker"]["symbol"] for point in points][:2] == ["circle-open", "circle"]
    assert points[1]["error_x"]["array"][0] == pytest.approx(5) and points[1]["customdata"] == [
        ["category+typos/accuracy", "qv-r8"]
    ]
    texts = [note["text"] for note in figure.to_dict()["layout"]["annotations"]]
    assert "<b>Typos &lt;i&gt;</b>" in texts and "▼ 20.0 [15.0, 25.0]" in texts


def test_what_has_no_drop_is_said_and_drawn_as_nothing() -> None:
    figure = drops_forest([row(adapter=gap(None))], VARIANTS, VARIANTS, 0.95, "dark").to_dict()
    assert len(figure["data"]) == 1 and "no value" in [note["text"] for note in figure["layout"]["annotations"]]


def test_without_a_direction_no_side_is_shaded() -> None:
    free = replace(row(), direction_free=True)
    shapes = [drops_forest([one], VARIANTS, VARIANTS, 0.95).to_dict()["layout"]["shapes"] for one in (row(), free)]
    assert [sum(shape["type"] == "rect" for shape in some) for some in shapes] == [1, 0]


def test_the_table_has_drops_and_what_is_more_than_the_references() -> None:
    table = robustness_table(make_comparison(VARIANTS), [row()])
    assert list(table["variant"]) == ["baseline", "qv-r8"] and table["drop"].tolist() == [0.02, 0.2]
    assert table["more_than_reference"].tolist()[1] == 0.18 and table["more_than_reference"].isna()[0]


def test_slices_keep_their_rank_and_their_three_differences() -> None:
    one = Slice("category=billing", "category", "tag", "tickets", 20, 160)
    found = SliceRow(one, "category", "accuracy", "Accuracy", None, "share", True, False, "qv-r8", value(0.5), value(0.4),
                     gap(0.1), gap(0.3), gap(-0.2, "worse"))  # fmt: skip
    table = slices_table(SliceTable("run", "baseline", 0.95, (one,), (found,), 7))
    assert [table[name][0] for name in ("rank", "slice", "difference", "rest", "contrast", "contrast_verdict", "tests")] == [
        1, "category=billing", 0.1, 0.3, -0.2, "worse", 7,
    ]  # fmt: skip
