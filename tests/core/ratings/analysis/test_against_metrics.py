from __future__ import annotations

import shutil

import numpy as np
import pytest

from core.derived import example_scores
from core.ratings import RatingStore, create_study, join, next_item
from core.ratings.analysis import analyse
from core.records import Example
from core.stats import pair_ordering
from core.store import Run
from tests.core import mini
from tests.core.ratings.studies import answer, plan


def _run(folder, n: int = 30) -> Run:
    """A run whose second variant answers right in every second example, and at greater length where it is wrong."""
    spec = mini.task("generation", prompt="Say {text}", metrics=["exact_match", "chrf"])
    examples = [
        Example("reply", f"e{at:03d}", "<prompt>", {"text": f"thing {at}"}, f"reference {at}") for at in range(n)
    ]
    said = {"baseline": lambda at: f"nothing {at}", "lora": lambda at: f"reference {at}" if at % 2 else f"no {at} no"}
    evidence = [mini.said("reply", name, at, text(at)) for at in range(n) for name, text in said.items()]
    return mini.write(folder, mini.spec({"reply": spec}, ("lora",)), examples, evidence)


@pytest.fixture
def rated(lite: RatingStore, tmp_path):
    """A study whose rater always prefers the right answer, else the baseline's."""
    run = _run(tmp_path / "run")
    study = create_study(lite, [run], plan()).study
    ana = join(study, "Ana")
    while not hasattr(item := next_item(study, ana), "message"):
        right = [at for at, text in enumerate(item.outputs) if text.startswith("reference")]
        chosen = right[0] if right else next(at for at, text in enumerate(item.outputs) if text.startswith("nothing"))
        answer(study, ana, item, ("left", "right")[chosen])
    return study, run


def test_the_metric_that_orders_as_people_do_comes_first(rated):
    study, run = rated
    found = analyse(study, runs=[run], resamples=300).metrics
    assert found.reason is None and [row.metric for row in found.rows] == ["exact_match", "chrf"]
    exact, chrf = found.rows
    assert (exact.accuracy.value, exact.accuracy.n, exact.n_tied, exact.run, exact.task) == (
        1.0,
        15,
        15,
        run.id,
        "reply",
    )
    scores = example_scores(run, "reply", "chrf")
    gaps = (scores["lora"] - scores["baseline"]).to_numpy()
    human = np.where(np.arange(30) % 2 == 1, 1.0, -1.0)
    direct = pair_ordering(gaps, human, resamples=300)
    assert chrf.accuracy.value == pytest.approx(direct.accuracy) and chrf.tau.value == pytest.approx(direct.tau)
    assert chrf.tau.low <= chrf.tau.value <= chrf.tau.high and chrf.title == "chrF"


def test_a_metric_where_lower_is_better_is_turned(rated, monkeypatch: pytest.MonkeyPatch):
    from core.metrics.registry import get_metric

    study, run = rated
    plain = {row.metric: row for row in analyse(study, runs=[run], resamples=100).metrics.rows}
    monkeypatch.setattr(type(get_metric("exact_match")), "higher_is_better", False)
    turned = {row.metric: row for row in analyse(study, runs=[run], resamples=100).metrics.rows}
    assert turned["exact_match"].accuracy.value == 1 - plain["exact_match"].accuracy.value
    assert turned["exact_match"].tau.value == pytest.approx(-plain["exact_match"].tau.value)


def test_scores_order_pairs_too(lite: RatingStore, tmp_path):
    run = _run(tmp_path / "run", 12)
    study = create_study(lite, [run], plan(mode="score")).study
    ana = join(study, "Ana")
    while not hasattr(item := next_item(study, ana), "message"):
        answer(
            study,
            ana,
            item,
            5 if item.outputs[0].startswith("reference") else 3 if item.outputs[0].startswith("nothing") else 1,
        )
    rows = analyse(study, runs=[run], resamples=100).metrics.rows
    assert {row.criterion for row in rows} == {"fluency", "relevance", "accuracy", "overall"}
    assert all(row.accuracy.value == 1 for row in rows if row.metric == "exact_match")


def test_a_run_that_is_gone_is_a_reason(rated):
    study, run = rated
    assert analyse(study, resamples=100).metrics.reason == "the runs were not read"
    found = analyse(study, runs=[], resamples=100)
    assert found.metrics.rows == () and "no run is there for baseline, lora: deleted or moved" in found.metrics.reason
    assert found.preferences[0].pairs[0].wins + found.preferences[0].pairs[0].losses == 30
    shutil.rmtree(run.folder)
    gone = analyse(study, runs=[run], resamples=100)
    assert gone.metrics.rows == () and gone.metrics.reason
