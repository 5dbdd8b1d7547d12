"""lm-evaluation-harness's per-sample files, in the form that its evaluation tracker writes: every number as text."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.cli.main import run
from core.errors import InputError
from core.imports.sources import Source, read_sources
from core.records import Kind
from tests.prediction_files import Row, write


def sample(doc_id: int, target: Any, requests: list[list[Any]], answers: list[Any], **more: Any) -> Row:
    """Return one sample as lm_eval 0.4.13 writes it (``EvaluationTracker.save_results_samples``)."""

    def as_texts(value: Any) -> Any:
        return [as_texts(one) for one in value] if isinstance(value, list) else str(value)

    arguments = {
        f"gen_args_{i}": {f"arg_{j}": argument for j, argument in enumerate(one)} for i, one in enumerate(requests)
    }
    return {
        "doc_id": doc_id, "doc": {"question": f"Question {doc_id}?", "subject": "law", "choices": ["x", "y"]}, "target": str(target),
        "arguments": arguments, "resps": as_texts([[answer] for answer in answers]), "filtered_resps": as_texts(answers),
        "filter": "none", "metrics": ["acc"], "doc_hash": "0", "prompt_hash": "0", "target_hash": "0", **more,
    }  # fmt: skip


def choice(doc_id: int, target: Any, choices: list[str], sums: Sequence[float], **more: Any) -> Row:
    requests = [[f"Question {doc_id}?\nAnswer:", f" {one}"] for one in choices]
    return sample(doc_id, target, requests, [[one, False] for one in sums], **more)


def read(path: Path, rows: list[Row], kind: Kind) -> list[dict[str, Any]]:
    return [row.fields for row in read_sources([Source(write(path, rows))], kind).rows]


def test_multiple_choice_with_the_same_choices(tmp_path: Path) -> None:
    rows = [choice(0, 1, ["no", "yes"], [-2.0, -1.0], acc=1.0), choice(7, 0, ["no", "yes"], [-3.5, -0.5], acc=0.0)]
    first, second = read(tmp_path / "s.jsonl", rows, "classification")
    assert (first["id"], first["prediction"], first["reference"]) == ("0", "yes", "yes")
    assert (second["id"], second["prediction"], second["reference"]) == ("7", "yes", "no")
    assert first["scores"] == pytest.approx({"yes": 1 / (1 + math.exp(-1)), "no": 1 / (1 + math.exp(1))})
    assert first["prompt"] == "Question 0?\nAnswer:" and first["subject"] == "law" and "choices" not in first


def test_choices_of_their_own_are_numbered(tmp_path: Path) -> None:
    rows = [choice(0, 2, ["a", "b", "c"], [-1, -2, -3]), choice(1, 0, ["d", "e"], [-1, -2])]
    first, second = read(tmp_path / "s.jsonl", rows, "classification")
    assert (first["prediction"], first["reference"], list(first["scores"])) == ("0", "2", ["0", "1", "2"])
    assert (second["prediction"], second["reference"], list(second["scores"])) == ("0", "0", ["0", "1"])


def test_a_digit_that_is_a_choice_is_read_as_lm_evals_own_accuracy_says(tmp_path: Path) -> None:
    answers = [choice(i, wanted, ["1", "2", "3"], sums, acc=acc) for i, (wanted, sums, acc) in enumerate([
        ("1", [-1, -5, -5], 1.0), ("3", [-5, -5, -1], 1.0), ("2", [-1, -5, -5], 0.0),
    ])]  # fmt: skip
    assert [row["reference"] for row in read(tmp_path / "s.jsonl", answers, "classification")] == ["1", "3", "2"]
    for row, acc in zip(answers, [0.0, 0.0, 0.0], strict=True):
        row["acc"] = acc
    answers[1]["target"], answers[1]["acc"] = "2", 1.0
    assert [row["reference"] for row in read(tmp_path / "s.jsonl", answers, "classification")] == ["2", "3", "3"]


def test_several_right_choices_are_no_reference(tmp_path: Path) -> None:
    (row,) = read(tmp_path / "s.jsonl", [choice(0, [0, 1], ["a", "b"], [-1, -2])], "classification")
    assert row["reference"] is None and row["prediction"] == "a"


def test_generate_until(tmp_path: Path) -> None:
    settings = {"until": ["\n\n"], "do_sample": False}
    rows = [
        sample(0, "退款已处理", [["Context 0", settings]], ["退款已经处理"]),
        sample(1, ["one", "uno"], [["Context 1", settings]], ["one"]),
    ]
    first, second = read(tmp_path / "s.jsonl", rows, "generation")
    assert (first["prediction"], first["reference"], first["prompt"]) == ("退款已经处理", "退款已处理", "Context 0")
    assert (second["prediction"], second["reference"]) == ("one", ["one", "uno"])


def test_repeats_are_samples_of_one_example(tmp_path: Path) -> None:
    rows = [sample(0, "a", [["Context", {"until": []}]], [["a", "b"]])]
    assert [(row["id"], row["sample"], row["prediction"]) for row in read(tmp_path / "s.jsonl", rows, "generation")] == [
        ("0", 1, "a"), ("0", 2, "b"),
    ]  # fmt: skip


def test_of_several_filters_the_first_is_read_and_said(tmp_path: Path) -> None:
    rows = [
        sample(0, "5", [["Context", {"until": []}]], [text], filter=name)
        for name, text in (("strict", "5"), ("loose", "7"))
    ]
    found = read_sources([Source(write(tmp_path / "s.jsonl", rows))], "generation")
    assert [row.fields["prediction"] for row in found.rows] == ["5"]
    assert "2 filters (strict, loose)" in found.notes[0]


def test_rolling_log_likelihood(tmp_path: Path) -> None:
    rows = [sample(0, "Zürich", [["Zürich"]], [-12.5]), sample(1, "", [["Once upon a", " time"]], [[-3.25, True]])]
    first, second = read(tmp_path / "s.jsonl", rows, "likelihood")
    assert (first["nll_sum"], first["n_bytes"], first["prompt"]) == (12.5, 7, "")
    assert (second["nll_sum"], second["n_bytes"], second["prompt"]) == (3.25, 5, "Once upon a")


def test_older_files_have_lists_of_arguments(tmp_path: Path) -> None:
    row = choice(0, 1, ["no", "yes"], [-2.0, -1.0])
    row["arguments"] = [list(one.values()) for one in row["arguments"].values()]
    (found,) = read(tmp_path / "s.jsonl", [row], "classification")
    assert (found["prediction"], found["reference"]) == ("yes", "yes")


def test_another_kind_is_refused_with_the_one_that_fits(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="multiple_choice requests, not of a generation task; use --task classification"
    ):
        read(tmp_path / "s.jsonl", [choice(0, 1, ["no", "yes"], [-2.0, -1.0])], "generation")


@pytest.mark.parametrize(
    "damage",
    [{"arguments": 5}, {"arguments": []}, {"filtered_resps": []}, {"filtered_resps": [["much", "True"], ["2", "x"]]}],
)
def test_a_damaged_sample_is_refused(tmp_path: Path, damage: Row) -> None:
    row = choice(0, 1, ["no", "yes"], [-2.0, -1.0]) | damage
    with pytest.raises(InputError, match="as lm_eval 0.4 writes it"):
        read(tmp_path / "s.jsonl", [row], "classification")


def test_two_models_are_scored_against_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, sums in (("a", [-2.0, -1.0]), ("b", [-1.0, -2.0])):
        write(tmp_path / f"{name}.jsonl", [choice(i, 1, ["no", "yes"], sums, acc=1.0) for i in range(4)])
    files = [f"--predictions={name}={tmp_path / f'{name}.jsonl'}" for name in "ab"]
    assert run(["score", "--task", "classification", *files, "--metrics", "accuracy", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["variants"]
    assert {name: one["metrics"]["accuracy"]["value"] for name, one in found.items()} == {"a": 1.0, "b": 0.0}
