"""Why runs cannot be joined: each reason is a sentence that says what was found in both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.compare import compare
from core.errors import InputError
from core.imports.request import ScoreRequest
from core.imports.run import read_predictions, write_run
from core.imports.sources import Source
from core.joined.agreement import candidate
from core.joined.build import join_runs
from core.joined.results import Candidate, joined_facts
from core.store import Run
from tests.joined_runs import cut, two_runs
from tests.prediction_files import Row, write
from tests.synthetic import make_run

SAMPLE = Path(__file__).parents[3] / "sample_data" / "predictions"
Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run, Run]:
    return two_runs(tmp_path_factory.mktemp("runs"), n=20)


def judged(
    runs: tuple[Run, Run, Run], folder: Path, spec: Edit | None = None, environment: Edit | None = None
) -> Candidate:
    other = cut(runs[0], folder / "other", ["all-r8"], spec=spec, environment=environment)
    return candidate(runs[1], other)


def in_task(**changes: Any) -> Edit:
    return lambda spec: spec["tasks"]["reply"].update(changes)


def in_settings(**changes: Any) -> Edit:
    return lambda spec: spec["settings"].update(changes)


def test_runs_that_asked_the_same_agree(runs: tuple[Run, Run, Run]) -> None:
    assert candidate(runs[1], runs[2]) == Candidate("second", ("category", "reply"), (), None)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (in_task(prompt="Ticket: {ticket}\n\nWrite the reply to the client."),
         'it has another prompt: "…cket: {ticket} Write the reply to the client." in other, "…cket: {ticket} Write the '),
        (in_task(system=None), 'it has another system message: none in other, "You work at the support desk of a web shop." in first'),
        (in_task(template="none"), 'it has another template: "none" in other, "chat" in first'),
        (in_task(answer={"rule": "contains"}), "it has another answer rule: "),
        (in_task(few_shot=[{"fields": {"ticket": "Hi"}, "answer": "Hello"}]), "it has other few-shot examples: "),
        (in_settings(max_new_tokens=8), "it was decoded with another max_new_tokens: 8 in other, 64 in first"),
        (in_settings(temperature=0.7), "it was decoded with another temperature: 0.7 in other, 0.0 in first"),
        (in_settings(stop=["."]), "it was decoded with another stop: "),
        (lambda spec: spec["tasks"].pop("reply"), "other has no task of this name"),
    ],
)  # fmt: skip
def test_a_task_that_was_asked_otherwise_is_left_out(
    runs: tuple[Run, Run, Run], tmp_path: Path, spec: Edit, reason: str
) -> None:
    found = judged(runs, tmp_path, spec)
    assert found.tasks == ("category",) and found.reason is None
    (left,) = found.left_out
    assert (left.run_id, left.task) == ("other", "reply")
    assert left.reason.startswith(reason)


@pytest.mark.parametrize(
    "spec",
    [
        in_task(metrics=["bleu"], primary=["bleu"], bands={"bleu": 1.0}),
        in_settings(seed=5),
        in_settings(batch_tokens=99),
    ],
)
def test_what_moves_no_number_need_not_agree(runs: tuple[Run, Run, Run], tmp_path: Path, spec: Edit) -> None:
    assert judged(runs, tmp_path, spec).left_out == ()


def test_a_seed_matters_where_tokens_are_drawn(tmp_path: Path, runs: tuple[Run, Run, Run]) -> None:
    first = cut(runs[0], tmp_path / "first", ["qv-r8"], spec=in_settings(temperature=0.7))
    other = cut(runs[0], tmp_path / "other", ["all-r8"], spec=in_settings(temperature=0.7, seed=5))
    (left,) = candidate(first, other).left_out
    assert left.reason == "it was decoded with another seed: 5 in other, 0 in first"


def other_file(known: dict[str, Any]) -> None:
    known["hashes"]["datasets"]["tickets"] = "ab" * 32


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        (other_file, "no task agrees; task category: its dataset tickets is another file: abababab in other, "),
        (lambda known: known["hashes"].pop("datasets"),
         "no task agrees; task category: other does not say which file it read (no hash in environment.json)"),
        (lambda known: known.update(tokenizer="ef" * 32), "the tokenizer or chat template of the base differs: efefefef in other, "),
        (lambda known: known.pop("tokenizer"), "other does not say its tokenizer or chat template of the base (environment.json)"),
        (lambda known: known.update(dtype="bfloat16"), "the precision differs: bfloat16 in other, float32 in first"),
    ],
)  # fmt: skip
def test_runs_of_other_data_or_another_reading_are_refused(
    runs: tuple[Run, Run, Run], tmp_path: Path, environment: Edit, reason: str
) -> None:
    found = judged(runs, tmp_path, environment=environment)
    assert found.tasks == () and (found.reason or "").startswith(reason)
    with pytest.raises(InputError, match="^other cannot be joined with first: "):
        join_runs(runs[1], [Run(tmp_path / "other")])


def test_another_id_field_names_other_examples(runs: tuple[Run, Run, Run], tmp_path: Path) -> None:
    found = judged(runs, tmp_path, lambda spec: spec["datasets"]["tickets"].update(id="number"))
    assert 'its examples are named by another field: "number" in other, "id" in first' in (found.reason or "")


def test_a_run_is_not_joined_with_itself_or_one_that_is_not_finished(
    runs: tuple[Run, Run, Run], tmp_path: Path
) -> None:
    first = runs[1]
    assert candidate(first, Run(first.folder)).reason == "it is the run itself"
    assert candidate(first, cut(runs[0], tmp_path / "first", ["all-r8"])).reason == (
        "it has the same name; rename the folder of one of the two"
    )
    going = make_run(tmp_path / "going", n=4, tasks=("category",), state="running", parts_done=0.5)
    assert candidate(first, going).reason == "going is not finished"
    assert candidate(going, first).reason == "going is not finished"
    with pytest.raises(InputError, match="found second twice; rename the folder of one"):
        join_runs(first, [runs[2], runs[2]])
    with pytest.raises(InputError, match="found one run"):
        join_runs(first, [])


def test_an_example_that_was_asked_otherwise_leaves_its_task_out(runs: tuple[Run, Run, Run], tmp_path: Path) -> None:
    other = cut(runs[0], tmp_path / "other", ["all-r8"])
    changed = [
        replace(one, prompt="Something else") if (one.task, one.id) == ("reply", "eval-003") else one
        for one in other.examples
    ]
    other.write_examples(changed)
    joined = join_runs(runs[1], [Run(other.folder)])
    facts = joined_facts(joined)
    assert facts is not None and [task.name for task in facts.tasks] == ["category"]
    assert facts.left_out[0].reason == "example eval-003 has another prompt in other than in first"


def test_runs_without_a_common_example_are_refused(runs: tuple[Run, Run, Run], tmp_path: Path) -> None:
    ids = [example.id for example in runs[0].examples if example.task == "category"]
    first, other = (cut(runs[0], tmp_path / name, [one], names=some) for name, one, some in (
        ("first", "qv-r8", ids[:5]), ("other", "all-r8", ids[5:])))  # fmt: skip
    with pytest.raises(
        InputError, match=r"no task agrees in all of them; task category: no example of other is one of first\.$"
    ):
        join_runs(first, [other])


def test_imported_predictions_are_joined_by_id_and_reference(runs: tuple[Run, Run, Run], tmp_path: Path) -> None:
    one, two, three, other = (imported(tmp_path, name, rows) for name, rows in IMPORTED.items())
    joined = join_runs(one, [two])
    assert joined.spec.models.variants == ("x", "y", "x+two")
    row = next(row for row in compare(joined).rows if row.metric == "accuracy")
    assert {name: value.value for name, value in row.values.items()} == {"x": 1.0, "y": 0.5, "x+two": 0.5}
    assert row.differences["x+two"].n == 2
    facts = joined_facts(joined)
    assert facts is not None and "Examples are matched by id and reference" in facts.notes[-1]
    with pytest.raises(InputError, match="example 2 has another reference in three than in one"):
        join_runs(one, [three])
    with pytest.raises(InputError, match="it has other options: "):
        join_runs(one, [other])
    told = "one holds imported predictions, and the other run what models were asked here"
    assert candidate(runs[1], one).reason == told


def test_imported_answers_that_are_all_the_same_are_one_column(tmp_path: Path) -> None:
    one, same = imported(tmp_path, "one", IMPORTED["one"]), imported(tmp_path, "same", IMPORTED["one"])
    assert join_runs(one, [same]).spec.models.variants == ("x", "y")
    boxes = ScoreRequest("vision", (Source(SAMPLE / "vision.jsonl"),))
    seen, again = (write_run(tmp_path / name, read_predictions(boxes)) for name in ("seen", "again"))
    assert join_runs(seen, [again]).spec.models.variants == seen.spec.models.variants


def answers(variant: str, *pairs: str) -> list[Row]:
    return [
        {"id": str(number), "variant": variant, "prediction": said, "reference": right}
        for number, (said, right) in enumerate(pairs, 1)
    ]


IMPORTED = {
    "one": answers("x", "aa", "bb") + answers("y", "aa", "ab"),
    "two": answers("x", "ba", "bb"),
    "three": answers("x", "aa", "ba"),
    "other": answers("x", "aa", "bb", "zz"),
}
"""Pairs of answer and reference."""


def imported(folder: Path, name: str, rows: list[Row]) -> Run:
    file = write(folder / f"{name}.jsonl", rows)
    return write_run(folder / name, read_predictions(ScoreRequest("classification", (Source(file),))))


def test_tasks_that_different_runs_leave_out_may_leave_nothing(runs: tuple[Run, Run, Run], tmp_path: Path) -> None:
    one = cut(runs[0], tmp_path / "one", ["all-r8"], spec=lambda spec: spec["tasks"].pop("reply"))
    two = cut(runs[0], tmp_path / "two", ["qv-r2"], spec=lambda spec: spec["tasks"].pop("category"))
    with pytest.raises(InputError, match="one, two cannot be joined with first: no task agrees in all of them"):
        join_runs(runs[1], [one, two])
