"""Classification heads beside causal variants, from the workspace to the comparison."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification

from core.compare import compare
from core.errors import InputError
from core.experiment.prepare import AblationChoice, plan_ablation
from core.jobs import worker
from core.jobs.run_models import RunModels
from core.jobs.status import read_status
from core.predict import observations
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.headed import LABELS, make_headed_workspace, rows
from tests.tiny_heads import without_tensor

N = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_headed_workspace(tmp_path_factory.mktemp("headed") / "w", n=N)


@pytest.fixture(scope="module")
def finished(folder: Path) -> Run:
    run = prepare_run(load_workspace(folder), Choice(name="whole"))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    return Run(run.folder)


def plain(folder: Path, name: str, n_outputs: int, texts: list[str]) -> torch.Tensor:
    """Return what transformers gives for each text alone, (texts, outputs)."""
    path = folder / name
    if name.startswith("adapters"):
        body = AutoModelForSequenceClassification.from_pretrained(folder / "base", num_labels=n_outputs)
        model = PeftModel.from_pretrained(body, str(path)).eval()
    else:
        model = AutoModelForSequenceClassification.from_pretrained(path).eval()
    tokenizer = Tokenizer.from_file(str(folder / "base" / "tokenizer.json"))
    with torch.inference_mode():
        return torch.stack([model(input_ids=torch.tensor([tokenizer.encode(text).ids])).logits[0] for text in texts])


def test_one_label_goes_by_name_and_not_by_place(folder: Path, finished: Run) -> None:
    texts = [f"{row['text']} colour?" for row in rows(folder)]
    chances = torch.softmax(plain(folder, "adapters/judge", 3, texts), dim=-1)  # blue, green, red
    found = observations(finished, "colour", "judge")
    assert list(found.predictions) == [("blue", "green", "red")[place] for place in chances.argmax(dim=-1).tolist()]
    for scores, expected in zip(found.scores, chances[:, [2, 0, 1]].tolist(), strict=True):  # red, blue, green
        assert scores == pytest.approx(expected, abs=1e-4)


def test_a_number_is_the_prediction_itself_and_has_no_probabilities(folder: Path, finished: Run) -> None:
    texts = [f"{row['text']} level?" for row in rows(folder)]
    expected = plain(folder, "adapters/meter", 1, texts)[:, 0].tolist()
    found = observations(finished, "level", "meter")
    assert list(found.predictions) == pytest.approx(expected, abs=1e-4)
    assert all(scores == () for scores in found.scores)
    assert all(observations(finished, "level", "baseline").scores), "a causal variant has a probability for each number"


def test_any_number_of_labels_goes_by_the_text_that_the_head_reads(folder: Path, finished: Run) -> None:
    chances = torch.sigmoid(plain(folder, "tagger", 3, [row["text"] for row in rows(folder)]))
    found = observations(finished, "marks", "tagger")
    for tags, scores, expected in zip(found.predictions, found.scores, chances.tolist(), strict=True):
        assert scores == pytest.approx(expected, abs=1e-4)
        assert tags == tuple(label for label, chance in zip(LABELS, expected, strict=True) if chance >= 0.5)


@pytest.mark.parametrize(
    ("variant", "task", "reason"),
    [
        ("judge", "reply", "a classification head gives no text"),
        ("tagger", "plain", "a classification head gives no log-likelihoods"),
        ("judge", "docs", "a classification head gives no score for a document"),
        ("meter", "colour", "the head was trained to give a number for each text, and this is a classification task"),
    ],
)
def test_what_a_head_cannot_answer_has_no_value_and_says_why(
    finished: Run, variant: str, task: str, reason: str
) -> None:
    assert set(observations(finished, task, variant).reasons) == {reason}


def test_heads_are_compared_in_pairs_with_the_baseline(finished: Run) -> None:
    rows_of = {(row.task, row.metric): row for row in compare(finished).rows}
    judged = rows_of["colour", "accuracy"].differences["judge"]
    assert judged.n == N and judged.difference is not None and judged.low is not None and judged.p is not None
    measured = rows_of["level", "mse"]
    assert measured.values["meter"].value is not None and measured.differences["meter"].p is not None
    assert rows_of["marks", "jaccard_micro"].differences["tagger"].difference is not None
    assert rows_of["reply", "chrf"].values["judge"].reason == "a classification head gives no text"


def test_a_run_holds_each_piece_once_and_notes_nothing_of_heads(finished: Run) -> None:
    table = finished.evidence()
    keys = list(zip(*(table[name].to_pylist() for name in ("task", "variant", "example_id", "item")), strict=True))
    assert len(keys) == len(set(keys)) == 5 * N * (1 + 1 + 3 + 1 + 2 + 1)
    assert read_status(finished).warnings == ()


def test_a_second_run_finds_the_heads_answers_and_another_order_of_labels_does_not(folder: Path, finished: Run) -> None:
    again = prepare_run(load_workspace(folder), Choice(name="again", adapters=("judge",), tasks=("colour",)))
    assert worker.main(["evaluate", str(again.folder)]) == 0
    assert read_status(again).reused == N, "the baseline is asked other batches"
    copy = Path(shutil.copytree(folder, folder.parent / "copy", ignore=shutil.ignore_patterns("runs")))
    path = copy / "workspace.yaml"
    path.write_text(path.read_text().replace("[Blue, Green, Red]", "[Red, Green, Blue]"))
    other = prepare_run(load_workspace(copy), Choice(name="other", adapters=("judge",), tasks=("colour",)))
    assert worker.main(["evaluate", str(other.folder)]) == 0
    assert read_status(other).reused == N
    swapped = {"red": "blue", "blue": "red", "green": "green"}
    before, after = (observations(run, "colour", "judge").predictions for run in (again, other))
    assert [swapped[label] for label in before] == list(after)


def refused(folder: Path, tmp_path: Path, old: str, new: str, **choice: tuple[str, ...]) -> str:
    copy = Path(shutil.copytree(folder, tmp_path / "w", ignore=shutil.ignore_patterns("runs", ".lorascope")))
    path = copy / "workspace.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError) as caught:
        prepare_run(load_workspace(copy), Choice(**choice))
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("Red]", "Pink]", "the head's labels are Blue, Green, Pink, and the task's options are red, blue, green"),
        (", head: {labels: [Blue, Green, Red]}", "", "the head's 3 outputs have no names, and the task's options are red, blue, green"),
        (", Red]", "]", "head.labels names 2 labels (Blue, Green), and the head has 3 outputs; expected a name for each"),
        ("adapters/judge,", "adapters/judge, scale: 0,", "whose last layer has no parts and no scale"),
        ("adapters/lora-0", "adapters/lora-0, head: {text: x}", "the key 'head', but it has none: its task_type is None"),
        ("{path: base}", "{path: base, head: {text: x}}", "found a head on the base, which has to give text"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_before_the_run(
    folder: Path, tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert sentence in refused(folder, tmp_path, old, new, adapters=("lora-0", "judge"), tasks=("colour", "reply"))


def test_an_adapter_without_its_last_layer_is_refused_before_the_run(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "w", ignore=shutil.ignore_patterns("runs")))
    without_tensor(copy / "adapters" / "judge", "base_model.model.score.weight")
    with pytest.raises(
        InputError, match=r"its file has no layer that gives the labels \(score, classifier\): it would be random"
    ):
        prepare_run(load_workspace(copy), Choice(adapters=("judge",), tasks=("colour",)))


def test_heads_are_neither_read_by_nor_taken_apart(folder: Path, finished: Run) -> None:
    with pytest.raises(InputError, match="'judge' is a classification head: it gives no text and no log-likelihoods"):
        RunModels(finished, ("baseline", "judge"))
    with pytest.raises(InputError, match="'judge' is a classification head: its last layer has no parts"):
        plan_ablation(load_workspace(folder), AblationChoice(adapter="judge", parts=("modules",), tasks=("colour",)))
