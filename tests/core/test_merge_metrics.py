"""What merging moves in metrics, from answers that are known: against numbers counted by hand."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from core.adapters.merge import MergeCheck, MergeRow
from core.charts.merge_tables import merge_metrics_rows, merge_metrics_table
from core.jobs.merge_answers import MergeAnswers
from core.merge_metrics import MergeMetric, merge_metrics
from core.store import Run, write_table
from core.wording.merging import metrics_sentence
from tests.synthetic import make_run

MODELS = {
    "unmerged, float32": "qv-r8",
    "merged, float32": "qv-r8",
    "unmerged, bfloat16": "qv-r8",
    "merged, bfloat16": "qv-r2",
}
"""Each model with the made-up variant whose answers it is given."""
ROWS = (
    MergeRow("merged, float32", "unmerged, float32", 1e-5, 1e-6, 0, 32, 0, 64, 0, 2),
    MergeRow("merged, bfloat16", "unmerged, bfloat16", 0.25, 0.01, 3, 32, 9, 64, 1, 2),
    MergeRow("unmerged, base in 4 bits (nf4)", "unmerged, float32", reason="bitsandbytes is not installed."),
)


def answered(folder: Path, run: Run, examples: dict[str, tuple[str, ...]]) -> MergeCheck:
    """Write the small run of a check with answers of the made-up run's variants, and return the check."""
    answers = MergeAnswers(folder, list(MODELS), run, examples)
    for model, variant in MODELS.items():
        table = pa.concat_tables([run.evidence(task=task, variant=variant) for task in examples])
        cells = zip(table["task"].to_pylist(), table["example_id"].to_pylist(), strict=True)
        table = table.filter([name in examples[task] for task, name in cells])
        name = model.replace(", ", "-")
        renamed = table.set_column(table.schema.get_field_index("variant"), "variant", pa.array([name] * len(table)))
        write_table(answers.run.part_path(name, 0), renamed)
    return MergeCheck("0" * 64, ROWS, run.id, "cpu", 32, answers.finish())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("merging") / "made", n=40)


@pytest.fixture(scope="module")
def found(run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[MergeMetric, ...]:
    folder = tmp_path_factory.mktemp("check")
    ids = tuple(example.id for example in run.examples if example.task == "category")
    return merge_metrics(folder, answered(folder, run, {"category": ids}))


def _right(run: Run, variant: str) -> list[bool]:
    references = {example.id: example.reference for example in run.examples if example.task == "category"}
    rows = sorted(run.evidence(task="category", variant=variant).to_pylist(), key=lambda row: row["example_id"])
    best = [row["options"][max(range(len(row["options"])), key=row["option_logprob_sums"].__getitem__)] for row in rows]
    return [answer == references[row["example_id"]] for row, answer in zip(rows, best, strict=True)]


def test_differences_and_flips_are_those_counted_by_hand(run: Run, found: tuple[MergeMetric, ...]) -> None:
    before, after = _right(run, "qv-r8"), _right(run, "qv-r2")
    flips = sum(one != other for one, other in zip(before, after, strict=True))
    moved = next(one for one in found if (one.metric, one.model) == ("accuracy", "merged, bfloat16"))
    assert 0 < flips == moved.flips and moved.flips_of == len(before) == moved.difference.n
    assert (moved.other.value, moved.value.value) == (sum(before) / len(before), sum(after) / len(after))
    assert moved.difference.difference == pytest.approx((sum(after) - sum(before)) / len(before))
    assert moved.difference.low is not None and moved.difference.low <= (sum(after) - sum(before)) / len(before)
    still = next(one for one in found if (one.metric, one.model) == ("accuracy", "merged, float32"))
    assert (still.flips, still.difference.difference, still.moved) == (0, 0.0, False)


def test_a_metric_of_all_examples_together_flips_none_and_a_pair_without_numbers_has_no_row(
    found: tuple[MergeMetric, ...],
) -> None:
    assert {(one.metric, one.model) for one in found} == {
        (metric, model) for metric in ("accuracy", "f1_macro") for model in ("merged, float32", "merged, bfloat16")
    }
    assert all(one.flips is None for one in found if one.metric == "f1_macro")


def test_tables_and_sentence_say_the_same(run: Run, found: tuple[MergeMetric, ...]) -> None:
    table = merge_metrics_table(found)
    assert len(table) == 4 and table["flips"].isna().sum() == 2 and set(table["level"]) == {0.95}
    before, after = (f"{100 * sum(some) / len(some):.1f}" for some in (_right(run, "qv-r8"), _right(run, "qv-r2")))
    flips = next(one.flips for one in found if (one.metric, one.model) == ("accuracy", "merged, bfloat16"))
    row = next(row for row in merge_metrics_rows(found) if row[:2] == ("category: Accuracy", "merged, bfloat16"))
    assert row[2:4] == ("unmerged, bfloat16", f"{before} → {after}") and row[-1] == f"{flips} of 40"
    sentence = metrics_sentence(found)
    assert sentence.startswith(
        "In float32 no example flips on Accuracy; in bfloat16 most examples flip on Accuracy (category): "
    )
    assert f"{flips} of 40 examples flip, −" in sentence and "points [" in sentence
    assert metrics_sentence(()) == ""


def test_without_answers_there_is_nothing(run: Run, tmp_path: Path) -> None:
    assert merge_metrics(tmp_path, MergeCheck("0" * 64, ROWS, run.id, "cpu", 32)) == ()
    assert merge_metrics(tmp_path, MergeCheck("0" * 64, ROWS, run.id, "cpu", 32, answered=4)) == ()
