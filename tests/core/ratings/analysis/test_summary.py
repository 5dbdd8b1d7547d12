from __future__ import annotations

import pytest

from core.ratings import RatingStore, create_study, join
from core.ratings.analysis import analyse, human_preference
from core.store import Run
from tests.core.ratings.studies import make_study, plan, rate_all, write_run


def test_one_line_a_study_and_variant_as_the_analysis_says(lite: RatingStore, tmp_path):
    run = write_run(tmp_path / "run", 12, ("lora", "other"))
    first = create_study(lite, [run], plan(title="First", raters=2, overlap=2)).study
    create_study(lite, [run], plan(title="Nobody rated"))
    scores = create_study(lite, [run], plan(title="Scores", mode="score")).study
    for name in ("Ana", "Ben"):
        rate_all(first, join(first, name))
    rate_all(scores, join(scores, "Ana"))
    found = human_preference(run, lite)
    assert [(one.title, one.variant, one.against) for one in found] == [
        ("Scores", "lora", "baseline"), ("Scores", "other", "baseline"), ("First", "lora", "baseline"), ("First", "other", "baseline"),
    ]  # fmt: skip
    analysis = analyse(first)
    for one, pair in zip(found[2:], analysis.preferences[0].pairs[:2], strict=True):
        assert (one.win_rate.value, one.win_rate.n, one.e_value, one.may_stop) == (
            pair.decisive.value, pair.decisive.n, pair.e_value, pair.may_stop,
        )  # fmt: skip
        assert (
            one.alpha == pytest.approx(analysis.agreement[0].alpha.alpha.value)
            and one.n_raters == 2
            and one.difference is None
        )
        assert one.sentence.startswith(f"{one.variant} is preferred to baseline in ")
    assert found[0].difference.value == 0 and found[0].sentence == "lora against baseline: no decisive verdict yet."


def test_variants_of_several_runs_are_called_as_the_run_calls_them(lite: RatingStore, tmp_path):
    runs = [write_run(tmp_path / name, 6) for name in ("one", "two")]
    names = tuple(f"{run.id}/{variant}" for run in runs for variant in ("baseline", "lora"))
    study = create_study(lite, runs, plan(variants=(names[0], names[1], names[3]))).study
    rate_all(study, join(study, "Ana"))
    (line,) = human_preference(runs[0], lite)
    assert (line.variant, line.against) == ("lora", "baseline")
    assert human_preference(runs[1], lite) == (), "the reference is another run's"


def test_no_store_and_no_study_of_the_run(tmp_path, lite: RatingStore):
    run = write_run(tmp_path / "run")
    assert human_preference(run, RatingStore(f"sqlite:///{tmp_path}/none.sqlite")) == ()
    study = make_study(lite, tmp_path / "else")
    rate_all(study, join(study, "Ana"))
    other = Run(tmp_path / "run")
    assert (other.id == study.runs[0]) or human_preference(other, lite) == ()
