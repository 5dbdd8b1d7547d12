"""The pictures behind the primary metrics: which there are, whose numbers they hold, and what stands beside what."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.compare import compare, example_scores
from core.report.document import Chart, Report, Wishes
from core.report.gather import gather
from core.report.html import to_html
from core.store import Run
from tests.synthetic import make_run

WISHES = Wishes(sections=("pictures",))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("pictures") / "runs" / "made"
    return make_run(folder, n=24, tasks=("category", "tags", "reply"), variants=("baseline", "qv-r8", "qv-r2"))


@pytest.fixture(scope="module")
def report(run: Run) -> Report:
    return gather(run, wishes=WISHES, comparison=compare(run))


def chart(report: Report, name: str) -> Chart:
    return next(one for one in report.charts if one.name == name)


def drawn(report: Report, name: str) -> dict:
    return json.loads(chart(report, name).figures["light"])


def test_each_primary_metric_has_what_fits_it(report: Report, run: Run) -> None:
    (section,) = report.sections
    names = [one.name for one in section.charts]
    assert names[:4] == ["outcomes-category-accuracy", "calibration-category", "confusion-category", "curves-category"]
    graded = [row.metric for row in compare(run).rows if row.task == "reply" and row.primary and not row.is_detail]
    assert "rouge_l" in graded and "exact_match" in graded
    assert {"moved-reply-rouge-l", "outcomes-reply-rouge-l", "outcomes-reply-exact-match"} <= set(names)
    assert "moved-category-accuracy" not in names and "moved-reply-exact-match" not in names, (
        "right or wrong has no shades"
    )
    assert "outcomes-category-f1-macro" not in names, "an F1 of labels has no value of a single example"
    assert "confusion-tags" not in names and not [one for one in section.charts if one.extra]


def test_the_histogram_counts_the_examples_that_moved(report: Report, run: Run) -> None:
    scores = example_scores(run, "reply", "rouge_l")
    variant = "qv-r8" if "qv-r8 against" in report.sections[0].paragraphs[0] else "qv-r2"
    moved = (scores[variant] - scores["baseline"]).to_numpy()
    (bars,) = [trace for trace in drawn(report, "moved-reply-rouge-l")["data"] if trace["type"] == "bar"]
    assert sum(bars["y"]) == int((np.abs(moved) > 1e-9).sum()) > 0
    assert chart(report, "moved-reply-rouge-l").alt.endswith(f"of {variant} to baseline")


def test_wins_and_losses_are_of_every_variant(report: Report, run: Run) -> None:
    scores, traces = example_scores(run, "category", "accuracy"), drawn(report, "outcomes-category-accuracy")["data"]
    wins = next(trace for trace in traces if trace["name"] == "win")
    expected = {name: float((scores[name] > scores["baseline"]).mean()) for name in ("qv-r8", "qv-r2")}
    shares = {part[0]: share / 100 for part, share in zip(wins["customdata"], wins["x"], strict=True)}
    assert shares == pytest.approx(expected)


def test_the_variant_can_be_chosen(run: Run) -> None:
    report = gather(run, wishes=Wishes(sections=("pictures",), variant="qv-r2"), comparison=compare(run))
    assert report.sections[0].paragraphs[0].startswith("qv-r2 against baseline")
    assert "of qv-r2 to baseline" in chart(report, "moved-reply-rouge-l").alt


def test_narrow_pictures_come_in_pairs(report: Report) -> None:
    halves = [one.half for one in report.charts]
    at = 0
    while at < len(halves):
        assert not halves[at] or halves[at + 1], f"{report.charts[at].name} stands alone"
        at += 2 if halves[at] else 1
    named = {one.name: one.half for one in report.charts}
    assert named["moved-reply-rouge-l"] and not named["confusion-category"] and not named["curves-category"]
    place = list(named).index("moved-reply-rouge-l")
    assert list(named)[place + 1] == "outcomes-reply-rouge-l"


def test_the_page_holds_them_and_they_can_be_left_out(report: Report, run: Run) -> None:
    page = to_html(report)
    assert page.count('<figure class="half"') == sum(one.half for one in report.charts) > 0
    assert 'data-chart="confusion-category"' in page
    assert "pictures" not in [one.name for one in gather(run, wishes=Wishes(sections=("verdict",))).sections]


def test_a_reference_alone_and_answers_without_probabilities_have_fewer(tmp_path: Path) -> None:
    alone = make_run(tmp_path / "runs" / "alone", n=6, tasks=("category",), variants=("baseline",))
    assert gather(alone, wishes=WISHES).sections == ()
    written = make_run(tmp_path / "runs" / "written", n=6, tasks=("reply",), variants=("baseline", "qv-r8"))
    names = {one.name.partition("-")[0] for one in gather(written, wishes=WISHES).charts}
    assert names == {"moved", "outcomes"}


def test_a_run_that_goes_on_has_pictures_of_what_is_there(tmp_path: Path) -> None:
    going = make_run(tmp_path / "runs" / "going", n=40, tasks=("category",), state="running", parts_done=0.3)
    report = gather(going, wishes=WISHES)
    assert all(json.loads(one.figures["light"])["data"] for one in report.charts)
