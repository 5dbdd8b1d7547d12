"""What stands in a variant's pane, read out of one example's evidence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from core.example_options import Answer, read_one, reference_text
from core.predict import observations
from core.records import Evidence, Example, Generation, Likelihood, OptionScores
from core.spec import AnswerRule, TaskSpec
from tests.synthetic import make_run

KEY = ("t", "v", "e")


def _task(kind: str, **more: Any) -> TaskSpec:
    return TaskSpec(dataset="d", kind=kind, prompt="{x} {option}", reference="r", **more)  # type: ignore[arg-type]


def _scores(options: tuple[str, ...], sums: tuple[float, ...], item: str = "") -> Evidence:
    ones = (1,) * len(options)
    return Evidence(*KEY, item=item, option_scores=OptionScores(options, sums, ones, ones))


def test_no_evidence_is_said_and_so_is_a_refusal() -> None:
    example = Example("t", "e", "", {}, "a", ("a", "b"))
    assert read_one(_task("classification", options=("a", "b")), example, ()) == Answer(reason="not evaluated yet")
    refused = Evidence(*KEY, reason="the prompt is too long")
    assert read_one(_task("classification", options=("a", "b")), example, (refused,)).reason == "the prompt is too long"


def test_options_are_probabilities_with_the_chosen_and_the_right_one_marked() -> None:
    example = Example("t", "e", "", {}, "a", ("a", "b", "c"))
    answer = read_one(
        _task("classification", options=("a", "b", "c")), example, (_scores(("a", "b", "c"), (-2.0, -1.0, -1e4)),)
    )
    assert [bar.label for bar in answer.bars] == ["a", "b", "c"]
    assert answer.bars[1].probability == pytest.approx(1 / (1 + math.exp(-1)))
    assert [bar.chosen for bar in answer.bars] == [False, True, False]
    assert [bar.right for bar in answer.bars] == [True, False, False]


def test_a_regression_has_an_expected_value_and_no_chosen_option() -> None:
    example = Example("t", "e", "", {}, 1.0, ("0", "1", "2"))
    answer = read_one(_task("regression", options=(0, 1, 2)), example, (_scores(("0", "1", "2"), (0.0, 0.0, 0.0)),))
    assert answer.read_as == "1.00"
    assert [bar.right for bar in answer.bars] == [False, True, False]
    assert not any(bar.chosen for bar in answer.bars)


def test_tags_are_asked_one_by_one_in_the_order_of_the_options() -> None:
    example = Example("t", "e", "", {}, ["late"], ("gift", "late"))
    pieces = (_scores(("yes", "no"), (-1.0, -3.0), "late"), _scores(("yes", "no"), (-3.0, -1.0), "gift"))
    answer = read_one(_task("multilabel", options=("gift", "late")), example, pieces)
    assert [(bar.label, bar.chosen, bar.right) for bar in answer.bars] == [("gift", False, False), ("late", True, True)]
    assert answer.bars[1].probability == pytest.approx(1 / (1 + math.exp(-2)))


def test_the_most_relevant_documents_of_a_ranking_are_right() -> None:
    example = Example("t", "e", "", {}, [0, 2, 2], ("x", "y", "z"))
    answer = read_one(_task("ranking", options="{docs}"), example, (_scores(("x", "y", "z"), (-1.0, -2.0, -3.0)),))
    assert [(bar.chosen, bar.right) for bar in answer.bars] == [(True, False), (False, True), (False, True)]


@pytest.mark.parametrize(("text", "read_as"), [("It is blue.", "blue"), ("no colour", "nothing (")])
def test_an_answer_rule_says_what_it_read(text: str, read_as: str) -> None:
    example = Example("t", "e", "", {}, "blue", ("blue", "red"))
    generation = Evidence(*KEY, generation=Generation(text, "length", 3, (1, 2), (0.0, 0.0)))
    answer = read_one(
        _task("classification", options=("blue", "red"), answer=AnswerRule(rule="option")), example, (generation,)
    )
    assert answer.read_as is not None
    assert answer.read_as.startswith(read_as)
    assert (answer.text, answer.finish, answer.n_tokens) == (text, "length", 2)


def test_text_and_the_likelihood_of_the_reference_stand_together() -> None:
    example = Example("t", "e", "", {}, "r")
    likelihood = Likelihood((1,), (-1.0,), (0,), (True,), 1)
    pieces = (
        Evidence(*KEY, generation=Generation("g", "eos", 3, (1,), (0.0,))),
        Evidence(*KEY, item="reference", likelihood=likelihood),
    )
    answer = read_one(_task("generation"), example, pieces)
    assert (answer.text, answer.likelihood) == ("g", likelihood)


def test_an_answer_stands_beside_the_reason_why_the_reference_has_no_likelihood() -> None:
    example = Example("t", "e", "", {}, "r")
    said = Evidence(*KEY, generation=Generation("g", "eos", 3, (1,), (0.0,)))
    answer = read_one(_task("generation"), example, (Evidence(*KEY, item="reference", reason="not told"), said))
    assert (answer.text, answer.reason, answer.no_likelihood) == ("g", None, "not told")
    refused = read_one(_task("generation"), example, (Evidence(*KEY, reason="too long"),))
    assert (refused.text, refused.reason, refused.no_likelihood) == (None, "too long", None)


@pytest.mark.parametrize("task", ["category", "urgency", "tags", "help", "reply"])
def test_it_reads_what_predictions_read(tmp_path: Path, task: str) -> None:
    run = make_run(tmp_path / "run", n=12, tasks=(task,))
    observed = observations(run, task, "qv-r8")
    for place, example in enumerate(run.examples):
        pieces = [piece for piece in _evidence(run, example.id)]
        answer = read_one(run.spec.tasks[task], example, pieces)
        prediction = observed.predictions[place]
        chosen = tuple(bar.label for bar in answer.bars if bar.chosen)
        if task == "reply":
            assert answer.text == prediction
        elif task == "urgency":
            assert answer.read_as == f"{prediction:.2f}"
        elif task == "help":
            assert chosen == (example.options[prediction.index(max(prediction))],)
        else:
            assert chosen == (tuple(prediction) if task == "tags" else (prediction,))


def _evidence(run: Any, example_id: str) -> list[Evidence]:
    from core.example_texts import read_example_evidence

    return list(read_example_evidence(run, run.examples[0].task, example_id)["qv-r8"])


@pytest.mark.parametrize(
    ("reference", "options", "text"),
    [("a", (), "a"), (3, (), "3"), (2.5, (), "2.5"), (["x", "y"], ("x", "y", "z"), "x, y"), (["one", "two"], (), "one\n\ntwo"),
     ([0, 1], ("x", "y"), None), (None, (), None), ("", (), "")],
)  # fmt: skip
def test_a_reference_is_text_where_it_can_be(reference: Any, options: tuple[str, ...], text: str | None) -> None:
    assert reference_text(Example("t", "e", "", {}, reference, options)) == text


def test_what_an_answer_cost_is_counted_in_tokens() -> None:
    example = Example("t", "e", "", {}, "a", ("a", "b"))
    generated = read_one(
        _task("generation"), example, (Evidence(*KEY, generation=Generation("x", "eos", 7, (1, 2), (0.0, 0.0))),)
    )
    assert (generated.n_prompt_tokens, generated.n_tokens, generated.n_scored) == (7, 2, None)
    tags = (_scores(("yes", "no"), (-1.0, -3.0), "a"), _scores(("yes", "no"), (-3.0, -1.0), "b"))
    assert read_one(_task("multilabel", options=("a", "b")), example, tags).n_scored == 4
    likely = Evidence(*KEY, likelihood=Likelihood((1, 2, 3), (-1.0,) * 3, (0, 1, 2), (True,) * 3, 3))
    assert read_one(_task("likelihood"), example, (likely,)).n_scored == 3
