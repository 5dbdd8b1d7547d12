"""The run that predictions become: what is stored, what is a tag, and what pages read out of it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from core.errors import InputError
from core.example_options import read_one
from core.example_texts import read_example, read_example_evidence, read_table, search
from core.imports.options import aligned_scores
from core.imports.request import ScoreRequest
from core.imports.run import read_predictions, write_run
from core.imports.sources import Source, parse_source
from core.imports.tags import tags_of
from core.jobs.status import read_status
from core.predict import observations
from core.prepare import Choice, prepare_run
from core.records import Kind
from core.store import Run
from core.workspace import load_workspace
from tests.prediction_files import Row, write


def made(folder: Path, rows: list[Row], kind: Kind = "classification", name: str = "p.jsonl") -> Run:
    request = ScoreRequest(kind, (Source(write(folder / name, rows)),))
    return write_run(folder / "w" / "runs" / "mine", read_predictions(request))


ROWS: list[Row] = [
    {"id": "1", "variant": "x", "prediction": "a", "reference": "a", "scores": {"a": 0.9, "b": 0.1}, "prompt": "Left?", "topic": "t"},
    {"id": "2", "variant": "x", "prediction": "c", "reference": "b", "scores": {"a": 2.5}, "language": "zh", "topic": "t"},
    {"id": "1", "variant": "y", "prediction": "b", "reference": "a", "scores": {"b": math.nan, "c": 0.1}, "prompt": "Left?", "topic": "u"},
]  # fmt: skip


def test_the_run_says_what_it_is(tmp_path: Path) -> None:
    run = made(tmp_path, ROWS)
    assert run.spec.models.variants == ("x", "y") and run.spec.reference == "x"
    assert run.spec.tasks["classification"].options == ("a", "b", "c")
    assert read_status(run).state == "finished"
    assert load_workspace(run.folder).runs()[0].spec.models.imported == ("x", "y")
    assert Run(run.folder).truth.is_file() and not (run.folder / "evidence.parquet").exists()


def test_observations_are_those_of_the_file(tmp_path: Path) -> None:
    run = made(tmp_path, ROWS)
    x, y = (observations(run, "classification", variant) for variant in "xy")
    assert x.example_ids == y.example_ids == ["1", "2"] and x.labels == ("a", "b", "c")
    assert x.predictions == ["a", "c"] and x.references == ["a", "b"] and x.languages == [None, "zh"]
    assert x.scores[0] == (0.9, 0.1, 0.0), "a label that probabilities leave out has probability 0"
    assert x.scores[1][0] == 2.5 and math.isnan(x.scores[1][1]), "of logits nothing is known of the others"
    assert y.predictions == ["b", None] and y.reasons == [None, "this variant has no prediction for it"]
    assert math.isnan(y.scores[0][1]) and y.scores[1] == ()
    stored = run.predictions(variant="y")["scores"].to_pylist()[0]
    assert stored[1] is None, "NaN is never stored"


def test_what_differs_between_systems_is_no_tag(tmp_path: Path) -> None:
    rows = [
        {"id": i, "variant": name, "prediction": "a", "reference": "a", "topic": f"t{i % 2}", "seconds": name}
        for i in range(4)
        for name in "xy"
    ]
    examples = made(tmp_path, rows).examples
    assert [example.tags for example in examples] == [("topic=t0",), ("topic=t1",)] * 2
    assert examples[0].fields["topic"] == "t0" and "seconds" not in examples[0].fields


@pytest.mark.parametrize(
    ("values", "is_tag"),
    [
        (["a", "b"] * 30, True),
        ([str(number % 51) for number in range(120)], False),
        (list("abcdef"), False),
        ([["a"]] * 3, False),
        ([None] * 3, False),
    ],
)
def test_which_fields_are_tags(values: list[object], is_tag: bool) -> None:
    assert any(tags_of([{"field": value} for value in values])) is is_tag


def test_pages_read_what_was_predicted(tmp_path: Path) -> None:
    run = made(tmp_path, ROWS)
    example = read_example(run, "classification", "1")
    assert example is not None and example.prompt == "Left?"
    evidence = read_example_evidence(run, "classification", "1")
    answer = read_one(run.spec.tasks["classification"], example, evidence["x"])
    assert answer.text == "a" and [bar.label for bar in answer.bars] == ["a", "b", "c"]
    assert answer.bars[0].probability == pytest.approx(0.9) and answer.bars[0].right
    other = read_one(run.spec.tasks["classification"], example, evidence["y"])
    assert other.text == "b" and not other.bars, "a score that is not a number is not drawn"
    missing = read_example_evidence(run, "classification", "2")["y"]
    assert (
        read_one(run.spec.tasks["classification"], example, missing).reason == "this variant has no prediction for it"
    )
    assert search(run, "classification", "C") == {"2"}
    assert list(read_table(run, "classification").ids) == ["1", "2"]


def test_a_ranking_is_shown_best_first(tmp_path: Path) -> None:
    run = made(tmp_path, [{"id": 1, "scores": {"d1": 0.5, "d2": 2}, "reference": {"d3": 1}}], "ranking")
    observed = observations(run, "ranking", "predictions")
    assert observed.options == [("d3", "d1", "d2")] and observed.references == [[1, 0, 0]]
    assert observed.predictions == [(-math.inf, 0.5, 2.0)]
    piece = read_example_evidence(run, "ranking", "1")["predictions"][0]
    assert piece.imported == "2  d2\n0.5  d1"


def test_periods_that_one_system_lacks_stay_in_their_place(tmp_path: Path) -> None:
    days = {"x": ["1", "3", "4"], "y": ["0", "1", "2", "3", "5"]}
    rows = [{"id": day, "variant": v, "prediction": 1, "reference": 0.1} for v, some in days.items() for day in some]
    assert [example.id for example in made(tmp_path, rows, "finance").examples] == ["0", "1", "2", "3", "5", "4"]


def test_a_run_of_imported_predictions_asks_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="came from elsewhere"):
        prepare_run(load_workspace(made(tmp_path, ROWS).folder), Choice())


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("kind: medical", "lorascope score --task medical"),
        ("kind: regression, imported: true", "a run writes this key"),
    ],
)
def test_a_workspace_cannot_ask_for_imported_tasks(tmp_path: Path, keys: str, words: str) -> None:
    text = f"models: {{base: {{path: b}}}}\ndatasets: {{d: {{path: d.jsonl}}}}\ntasks:\n  t: {{dataset: d, reference: y, {keys}}}\n"
    (tmp_path / "workspace.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        load_workspace(tmp_path)


def test_a_workspace_cannot_name_imported_systems(tmp_path: Path) -> None:
    text = "models: {base: {path: b}, imported: [x]}\ndatasets: {}\ntasks: {}\n"
    (tmp_path / "workspace.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="models.imported: a run writes this key itself"):
        load_workspace(tmp_path)


def test_scores_in_the_order_of_the_labels() -> None:
    assert aligned_scores({"b": 0.25, "a": 0.75}, ["a", "b"]) == (0.75, 0.25)
    assert aligned_scores(None, ["a"]) == aligned_scores({}, ["a"]) == ()
    assert math.isnan(aligned_scores({"a": 0.9, "b": 0.4}, ["a", "b", "c"])[2]), "they sum to more than 1"


def test_a_file_that_is_there_is_taken_by_its_whole_name(tmp_path: Path) -> None:
    odd = tmp_path / "a=b.jsonl"
    odd.write_text("{}", encoding="utf-8")
    assert parse_source(str(odd)) == Source(odd)
    assert parse_source("tuned=x.jsonl") == Source(Path("x.jsonl"), "tuned")


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("", encoding="utf-8")
    imported = read_predictions(ScoreRequest("classification", (Source(write(tmp_path / "p.jsonl", ROWS)),)))
    with pytest.raises(InputError, match="cannot be written"):
        write_run(tmp_path / "blocked" / "run", imported)


def test_the_file_is_told_by_its_hash(tmp_path: Path) -> None:
    import hashlib

    run = made(tmp_path, ROWS)
    expected = hashlib.sha256((tmp_path / "p.jsonl").read_bytes()).hexdigest()
    environment = json.loads((run.folder / "environment.json").read_text(encoding="utf-8"))
    assert environment["imported"]["files"] == {"p.jsonl": expected}
    assert environment["hashes"]["datasets"] == {"predictions": expected}
