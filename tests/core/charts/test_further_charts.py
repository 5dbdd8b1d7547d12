"""Radar, composite, slices and forgetting: what the pictures say, what a click gives, and that texts stay texts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest

from core.charts.forgetting import forgetting_chart
from core.charts.radar import MOST_VARIANTS, composite_forest, composite_radar, radar_variants
from core.charts.slices import slices_forest
from core.compare import compare
from core.composite.measured import composites
from core.composite.results import CompositePart, CompositeResult
from core.forgetting import ForgettingReport, forgetting
from core.results import Value
from core.slices import SliceTable, slice_table
from core.spec import CompositeSpec, ForgettingSpec
from core.store import Run
from tests.synthetic import make_run

HOSTILE = "<img src=x onerror=alert(1)> $x^2$"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("charts") / "run"
    run = make_run(folder, n=70, variants=("baseline", "qv-r8", "qv-r2"), tasks=("category", "reply", "general"))
    desk = CompositeSpec(
        weights={"category/accuracy": 2, "reply/rouge_l": 1, "general/perplexity": 1},
        scale={"general/perplexity": (50, 5)},
    )
    update = {"composites": {"desk": desk}, "forgetting": ForgettingSpec(general="general", domain="reply")}
    run.__dict__["spec"] = run.spec.model_copy(update=update)
    return run


@pytest.fixture(scope="module")
def desk(run: Run) -> CompositeResult:
    return composites(run)[0]


@pytest.fixture(scope="module")
def table(run: Run) -> SliceTable:
    return slice_table(run)


@pytest.fixture(scope="module")
def forgotten(run: Run) -> ForgettingReport:
    found = forgetting(run, compare(run))
    assert found is not None
    return found


def texts(figure: go.Figure) -> str:
    return json.dumps(figure.to_dict(), default=str, ensure_ascii=False)


def test_the_radar_shows_every_part_on_its_scale(run: Run, desk: CompositeResult) -> None:
    figure = composite_radar(desk, run.spec.models.variants, "baseline")
    assert [trace.name for trace in figure.data] == ["baseline", "qv-r8", "qv-r2"]
    outline = figure.data[1]
    assert list(outline.r) == pytest.approx(
        [*(part.scaled["qv-r8"] for part in desk.parts), desk.parts[0].scaled["qv-r8"]]
    )
    assert figure.layout.polar.radialaxis.range == (0, 1) and "without uncertainty" in texts(figure)
    assert "Accuracy<br>50 %" in outline.theta[0] and figure.data[0].line.dash == "dot"


def test_at_most_six_variants_are_drawn_the_reference_always_among_them(desk: CompositeResult) -> None:
    names = [f"v{i}" for i in range(9)]
    value, part = desk.row.values["baseline"], desk.parts[0]
    values = {name: replace(value, value=i / 10) for i, name in enumerate(names)}
    parts = tuple(replace(part, values=dict.fromkeys(names, value), scaled=dict.fromkeys(names, 0.5)) for _ in range(3))
    many = replace(desk, parts=parts, row=replace(desk.row, values=values, differences={}))
    assert radar_variants(many, names, "v0") == ("v0", "v4", "v5", "v6", "v7", "v8")
    figure = composite_radar(many, names, "v0")
    assert len(figure.data) == MOST_VARIANTS and "3 not drawn" in texts(figure)


def test_fewer_than_three_parts_are_bars_and_a_part_without_value_is_left_open(run: Run, desk: CompositeResult) -> None:
    none = Value(None, None, None, 0, 70, "out of memory", "", "none")
    lacking = replace(
        desk.parts[0], scaled=desk.parts[0].scaled | {"qv-r2": None}, values=desk.parts[0].values | {"qv-r2": none}
    )
    two = replace(desk, parts=(lacking, desk.parts[1]))
    bars = composite_radar(two, run.spec.models.variants, "baseline").data[2]
    assert isinstance(bars, go.Bar) and bars.y[0] is None and "no value: out of memory" in bars.hovertext[0]


def test_metrics_of_the_same_name_are_told_apart_by_their_task(run: Run, desk: CompositeResult) -> None:
    twice: tuple[CompositePart, ...] = (desk.parts[0], replace(desk.parts[0], key="urgency/accuracy"), desk.parts[1])
    theta = composite_radar(replace(desk, parts=twice), run.spec.models.variants, "baseline").data[0].theta
    assert theta[0].startswith("category: Accuracy") and theta[1].startswith("urgency: Accuracy")


def test_the_composites_forest_shows_value_interval_and_difference(run: Run, desk: CompositeResult) -> None:
    figure = composite_forest(desk, run.spec.models.variants, "baseline", 0.95)
    point, value = figure.data[1], desk.row.values["qv-r8"]
    assert value.value is not None and value.high is not None
    assert point.x[0] == pytest.approx(100 * value.value) and list(point.customdata[0]) == ["qv-r8"]
    assert point.error_x.array[0] == pytest.approx(100 * (value.high - value.value))
    assert "reference" in texts(figure) and "▲" in texts(figure) and "95 % intervals" in texts(figure)


def test_slices_show_both_sides_the_contrast_and_what_it_was_corrected_for(table: SliceTable) -> None:
    rows = table.of("reply/rouge_l", "qv-r8")
    figure = slices_forest(table, "reply/rouge_l", "qv-r8", most=5)
    points = [trace for trace in figure.data if trace.customdata is not None]
    assert [list(trace.customdata[0]) for trace in points[1::2]] == [[row.slice.name] for row in rows[:5]]
    assert points[1].x[0] == pytest.approx(100 * (rows[0].difference.difference or 0))
    assert (
        points[0].x[0] == pytest.approx(100 * (rows[0].rest.difference or 0)) and points[0].marker.symbol == "line-ns"
    )
    assert f"{table.n_tests} tests" in texts(figure)
    assert list(figure.layout.yaxis.tickvals) == list(range(5))


def test_slices_without_rows_say_so(table: SliceTable) -> None:
    assert "no slice has enough examples" in texts(slices_forest(table, "reply/none", "qv-r8"))


def test_forgetting_draws_gain_against_change_with_both_intervals(run: Run, forgotten: ForgettingReport) -> None:
    figure = forgetting_chart(forgotten, "reply/rouge_l", run.spec.models.variants)
    point = next(trace for trace in figure.data if list(trace.customdata[0]) == ["qv-r8"])
    one = forgotten.variants[0]
    assert (
        one.bits_per_byte is not None
        and one.bits_per_byte.high is not None
        and one.bits_per_byte.difference is not None
    )
    assert point.x[0] == pytest.approx(100 * (one.domain["reply/rouge_l"].difference or 0))
    assert point.y[0] == pytest.approx(one.bits_per_byte.difference)
    assert point.error_y.array[0] == pytest.approx(one.bits_per_byte.high - one.bits_per_byte.difference)
    assert "further up is more forgotten" in texts(figure) and "95 % intervals" in texts(figure)
    other = forgetting_chart(forgotten, "reply/perplexity", run.spec.models.variants, "perplexity")
    assert "further left is better" in texts(other) and "Perplexity" in str(other.layout.yaxis.title.text)


def test_forgetting_with_nothing_to_draw_says_why(forgotten: ForgettingReport) -> None:
    with pytest.raises(ValueError, match="the task x is not part"):
        forgetting_chart(replace(forgotten, domain_rows=(), reason="the task x is not part of this run"), "k", [])


def test_names_are_text_and_never_markup(desk: CompositeResult, table: SliceTable, forgotten: ForgettingReport) -> None:
    hostile_slices = replace(
        table, rows=tuple(replace(row, slice=replace(row.slice, name=HOSTILE)) for row in table.rows)
    )
    figures = [
        composite_radar(replace(desk, name=HOSTILE), ["baseline", "qv-r8", "qv-r2"], "baseline"),
        composite_forest(replace(desk, name=HOSTILE), ["baseline", "qv-r8", "qv-r2"], "baseline", 0.95),
        slices_forest(hostile_slices, "reply/rouge_l", "qv-r8"),
        forgetting_chart(replace(forgotten, domain=HOSTILE), "reply/rouge_l", ["baseline", "qv-r8", "qv-r2"]),
    ]
    for figure in figures:
        shown = figure.to_dict()
        for trace in shown["data"]:
            trace.pop("customdata", None)
        assert "<img" not in json.dumps(shown, default=str) and "$x" not in json.dumps(shown, default=str)


def test_both_modes_are_drawn(run: Run, desk: CompositeResult, tmp_path: Path) -> None:
    light, dark = (composite_radar(desk, run.spec.models.variants, "baseline", mode=mode) for mode in ("light", "dark"))
    assert light.layout.polar.bgcolor != dark.layout.polar.bgcolor
