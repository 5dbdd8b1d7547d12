from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from core.predict import NO_EVIDENCE, length_normalised, observations, option_probabilities
from core.records import Evidence, Likelihood, OptionScores
from tests.core import mini


def scored(task: str, number: int, options: tuple[str, ...], sums: tuple[float, ...], item: str = "") -> Evidence:
    counts = (1,) * len(options)
    return Evidence(task, "lora", f"e{number:03d}", item, option_scores=OptionScores(options, sums, counts, counts))


def test_classification_takes_the_likeliest_option_and_joins_by_id(tmp_path: Path) -> None:
    examples = [mini.example("t", number, "yes") for number in range(6)]
    evidence = [
        mini.chosen("t", "lora", 2, "no"),
        mini.chosen("t", "lora", 0, "maybe"),
        mini.failed("t", "lora", 1),
        scored("t", 4, mini.LABELS, (-1.0, math.nan, -2.0)),
        scored("t", 5, ("yes", "other"), (-1.0, -2.0)),
        mini.chosen("t", "baseline", 3, "no"),
    ]
    run = mini.write(tmp_path / "mini", mini.spec({"t": mini.task(metrics=["accuracy"])}), examples, evidence)
    observed = observations(run, "t", "lora")
    assert list(observed.example_ids) == [f"e{number:03d}" for number in range(6)]
    assert list(observed.predictions) == ["maybe", None, "no", None, None, None]
    assert observed.reasons[1] == "out of memory"
    assert observed.reasons[3] == NO_EVIDENCE
    assert "not a number" in (observed.reasons[4] or "")
    assert "other options" in (observed.reasons[5] or "")
    assert observed.scores[0] == pytest.approx(np.exp([-3, -3, -1]) / np.exp([-3, -3, -1]).sum())
    assert observed.labels == mini.LABELS
    assert not len(observed.unreadable)


def test_a_tie_goes_to_the_first_option(tmp_path: Path) -> None:
    evidence = [scored("t", 0, mini.LABELS, (-2.0, -1.0, -1.0))]
    run = mini.write(tmp_path / "mini", mini.spec({"t": mini.task()}), [mini.example("t", 0, "yes")], evidence)
    assert observations(run, "t", "lora").predictions[0] == "no"


def test_rows_may_have_options_of_their_own(tmp_path: Path) -> None:
    examples = [mini.example("t", 0, "a", ("a", "b")), mini.example("t", 1, "c", ("c", "d", "e"))]
    evidence = [mini.chosen("t", "lora", 0, "b", ("a", "b")), mini.chosen("t", "lora", 1, "e", ("c", "d", "e"))]
    run = mini.write(tmp_path / "mini", mini.spec({"t": mini.task(options="{options}")}), examples, evidence)
    observed = observations(run, "t", "lora")
    assert list(observed.predictions) == ["b", "e"]
    assert [len(scores) for scores in observed.scores] == [2, 3]
    assert observed.labels == ("a", "b", "c", "d", "e")


def test_regression_is_the_expected_value(tmp_path: Path) -> None:
    sums = (math.log(0.2), math.log(0.3), math.log(0.5))
    evidence = [scored("t", 0, ("0", "5", "10"), sums), scored("t", 1, ("0", "x"), (-1.0, -1.0))]
    examples = [mini.example("t", 0, 7, ("0", "5", "10")), mini.example("t", 1, 7, ("0", "x"))]
    run = mini.write(
        tmp_path / "mini", mini.spec({"t": mini.task("regression", options=[0, 5, 10])}), examples, evidence
    )
    observed = observations(run, "t", "lora")
    assert observed.predictions[0] == pytest.approx(0.3 * 5 + 0.5 * 10)
    assert observed.predictions[1] is None
    assert observed.reasons[1] == "an option is not a number"


def test_multilabel_takes_tags_with_yes_of_at_least_one_half(tmp_path: Path) -> None:
    answers = {"yes": (-1.0, -1.0), "no": (-2.0, -1.0), "maybe": (-1.0, -5.0)}
    evidence = [scored("t", 0, ("yes", "no"), sums, item=tag) for tag, sums in answers.items()]
    evidence += [
        scored("t", 1, ("yes", "no"), (-1.0, -2.0), item="yes"),
        mini.failed("t", "lora", 1, "too long", item="no"),
    ]
    examples = [mini.example("t", number, ["yes"]) for number in range(2)]
    run = mini.write(tmp_path / "mini", mini.spec({"t": mini.task("multilabel")}), examples, evidence)
    observed = observations(run, "t", "lora")
    assert observed.predictions[0] == ("yes", "maybe")
    assert observed.scores[0] == pytest.approx((0.5, 1 / (1 + math.e), 1 / (1 + math.exp(-4))))
    assert observed.predictions[1] is None
    assert observed.reasons[1] == "tag 'no': too long"


def test_ranking_gives_a_score_for_each_document(tmp_path: Path) -> None:
    evidence = [scored("t", 0, mini.LABELS, (-4.0, -2.5, -9.0))]
    run = mini.write(
        tmp_path / "mini", mini.spec({"t": mini.task("ranking")}), [mini.example("t", 0, [0, 1, 0])], evidence
    )
    assert observations(run, "t", "lora").predictions[0] == (-4.0, -2.5, -9.0)


def test_generation_with_the_likelihood_beside_it(tmp_path: Path) -> None:
    examples = [mini.example("t", number, "ref", (), language="en") for number in range(3)]
    evidence = [
        mini.said("t", "lora", 0, "hello"), mini.likely("t", "lora", 0, (-0.5, -1.5), item="reference"),
        mini.said("t", "lora", 1, ""), mini.failed("t", "lora", 1, "too long", item="reference"),
        mini.failed("t", "lora", 2, "out of memory"), mini.likely("t", "lora", 2, (-2.0,), item="reference"),
    ]  # fmt: skip
    run = mini.write(tmp_path / "mini", mini.spec({"t": mini.task("generation")}), examples, evidence)
    observed = observations(run, "t", "lora")
    assert list(observed.predictions) == ["hello", "", None]
    assert list(observed.reasons) == [None, None, "out of memory"]
    assert observed.likelihoods[0] == Likelihood((0, 1), (-0.5, -1.5), (0, 1), (True, True), 8)
    assert observed.likelihoods[1] is None
    assert list(observed.likelihood_reasons) == [None, "too long", None]
    assert [None if one is None else len(one.token_ids) for one in observed.likelihoods] == [2, None, 1]
    assert list(observed.languages) == ["en"] * 3


def test_likelihood_tasks_have_no_predictions(tmp_path: Path) -> None:
    examples = [mini.example("t", number, "text", ()) for number in range(3)]
    evidence = [mini.likely("t", "lora", 1, (-1.0,)), mini.failed("t", "lora", 0, "it is empty")]
    run = mini.write(tmp_path / "mini", mini.spec({"t": mini.task("likelihood")}), examples, evidence)
    observed = observations(run, "t", "lora")
    assert list(observed.predictions) == [None] * 3
    assert observed.reasons[0] == "it is empty"
    assert [one is not None for one in observed.likelihoods] == [False, True, False]


def test_answers_are_read_by_the_rule_and_unreadable_is_not_missing(tmp_path: Path) -> None:
    examples = [mini.example("t", number, "yes") for number in range(4)]
    evidence = [
        mini.said("t", "lora", 0, "Yes."), mini.said("t", "lora", 1, "yes and no"), mini.failed("t", "lora", 2),
        mini.said("t", "lora", 3, ""),
    ]  # fmt: skip
    task = mini.task(answer={"rule": "option"}, options=mini.LABELS)
    run = mini.write(tmp_path / "mini", mini.spec({"t": task}), examples, evidence)
    observed = observations(run, "t", "lora")
    assert list(observed.predictions) == ["yes", None, None, None]
    assert list(observed.unreadable) == [False, True, False, True]
    assert observed.reasons[1] == "the text names 2 options: yes, no"
    assert observed.reasons[2] == "out of memory"


def test_numbers_are_read_out_of_generated_answers(tmp_path: Path) -> None:
    task = mini.task("regression", answer={"rule": "regex", "pattern": r"(\S+)/10"})
    examples = [mini.example("t", number, 7, ()) for number in range(2)]
    evidence = [mini.said("t", "lora", 0, "I say 7.5/10"), mini.said("t", "lora", 1, "say seven/10")]
    run = mini.write(tmp_path / "mini", mini.spec({"t": task}), examples, evidence)
    observed = observations(run, "t", "lora")
    assert list(observed.predictions) == [7.5, None]
    assert list(observed.unreadable) == [False, True]


@pytest.mark.parametrize("kind", ["classification", "generation", "likelihood", "multilabel", "ranking", "regression"])
def test_a_run_without_evidence_has_reasons_only(tmp_path: Path, kind: str) -> None:
    task = mini.task(kind, options=[1, 2]) if kind == "regression" else mini.task(kind)
    run = mini.write(
        tmp_path / "mini", mini.spec({"t": task}), [mini.example("t", 0, "1", ("1", "2"))], [], finished=False
    )
    observed = observations(run, "t", "lora")
    assert list(observed.predictions) == [None]
    assert NO_EVIDENCE in (observed.reasons[0] or "")


def test_unknown_names_are_answered_with_the_nearest(tmp_path: Path) -> None:
    run = mini.write(tmp_path / "mini", mini.spec({"topic": mini.task()}), [], [], finished=False)
    with pytest.raises(InputError, match="no task 'topics'.*did you mean 'topic'"):
        observations(run, "topics", "lora")
    with pytest.raises(InputError, match="no variant 'lorra'.*did you mean 'lora'"):
        observations(run, "topic", "lorra")


def test_probabilities_survive_very_unlikely_options_and_padding() -> None:
    found = option_probabilities(np.array([[-1000.0, -1001.0, -np.inf], [-np.inf, -np.inf, -np.inf]]))
    assert found[0] == pytest.approx([1 / (1 + math.exp(-1)), 1 / (1 + math.e), 0])
    assert np.isnan(found[1]).all()


def test_length_normalised_scores_are_per_byte() -> None:
    assert length_normalised([-4.0, -6.0], [2, 6]).tolist() == [-2.0, -1.0]
    assert np.isnan(length_normalised([-4.0], [0])).all()
