"""The table of slices: what is in it, what it is corrected for, and how it is ranked."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from core.compare import compare
from core.errors import InputError
from core.slices import SliceTable, find_slices, matcher, slice_table
from core.store import Run
from tests.core import mini
from tests.synthetic import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(
        tmp_path_factory.mktemp("table") / "run",
        n=90,
        variants=("baseline", "qv-r8", "qv-r2"),
        tasks=("category", "general"),
    )


@pytest.fixture(scope="module")
def table(run: Run) -> SliceTable:
    return slice_table(run)


def test_a_row_is_what_the_comparison_of_the_slice_alone_says(run: Run, table: SliceTable) -> None:
    for row in [table.of("category/accuracy")[0], table.of("general/bits_per_byte")[-1]]:
        alone = compare(run, where=matcher(run, row.slice.name)).row(row.key)
        difference = alone.differences[row.variant]
        assert row.value.value == pytest.approx(alone.values[row.variant].value)
        assert row.difference.difference == pytest.approx(difference.difference)
        assert (row.difference.n, row.slice.n) == (difference.n, difference.n)
        within = matcher(run, row.slice.name)
        rest = compare(run, where=lambda e, within=within: not within(e)).row(row.key).differences[row.variant]
        assert row.rest.difference == pytest.approx(rest.difference) and row.rest.p is None
        assert row.contrast.difference == pytest.approx(difference.difference - rest.difference)
    rates = table.of("category/accuracy")[0]
    alone = compare(run, where=matcher(run, rates.slice.name)).row(rates.key).differences[rates.variant]
    assert (rates.difference.low, rates.difference.high, rates.difference.p) == pytest.approx(
        (alone.low, alone.high, alone.p)
    )


def test_all_that_was_tried_is_one_family(table: SliceTable) -> None:
    pieces = [piece for row in table.rows for piece in (row.difference, row.contrast) if piece.p is not None]
    assert table.n_tests == len(pieces) > 50
    expected = multipletests([piece.p for piece in pieces], method="fdr_bh")[1]
    np.testing.assert_allclose([piece.p_adjusted for piece in pieces], expected)


def test_rows_are_ranked_by_the_contrasts_p(table: SliceTable) -> None:
    p = [row.contrast.p for row in table.rows]
    known = [one for one in p if one is not None]
    assert known == sorted(known) and p[: len(known)] == known
    sizes = [
        abs(row.difference.difference or 0) for row in table.rows[len(known) :] if row.difference.difference is not None
    ]
    assert sizes == sorted(sizes, reverse=True)


def test_verdicts_follow_the_adjusted_p_and_the_direction(table: SliceTable) -> None:
    for row in table.rows:
        for piece in (row.difference, row.contrast):
            told = piece.p_adjusted is not None and piece.p_adjusted < 0.05
            if piece.difference:
                up = (piece.difference > 0) is row.higher_is_better
                assert piece.verdict == (("better" if up else "worse") if told else "unclear")
    assert {row.difference.verdict for row in table.rows} >= {"better", "unclear"}


def test_showing_less_changes_no_p(run: Run, table: SliceTable) -> None:
    one = table.of("category/accuracy", "qv-r8")
    assert 0 < len(one) < len(table.rows) and set(one) <= set(table.rows)
    assert {row.key for row in table.rows} == {
        f"{task}/{name}" for task, spec in run.spec.tasks.items() for name in spec.metrics
    }


def test_more_metrics_are_tried_beside_the_primary_ones(run: Run) -> None:
    tasks = {name: task.model_copy(update={"primary": task.metrics[:1]}) for name, task in run.spec.tasks.items()}
    narrow = Run(run.folder)
    narrow.__dict__["spec"] = run.spec.model_copy(
        update={"tasks": tasks, "family": ("category/accuracy", "general/perplexity")}
    )
    few, more = slice_table(narrow), slice_table(narrow, more=["category/f1_macro"])
    assert {row.key for row in few.rows} == {"category/accuracy", "general/perplexity"}
    assert {row.key for row in more.rows} == {"category/accuracy", "general/perplexity", "category/f1_macro"}
    assert more.n_tests > few.n_tests
    with pytest.raises(InputError, match=r"it computed no metric 'category/f1'.*did you mean 'category/f1_macro'"):
        slice_table(narrow, more=["category/f1"])


def test_a_macro_average_is_not_asked_of_a_single_label(run: Run, table: SliceTable) -> None:
    labels = {row.slice.name for row in table.of("category/accuracy") if row.slice.name.startswith("category=")}
    assert labels and not labels & {row.slice.name for row in table.of("category/f1_macro")}


def test_two_halves_that_are_each_others_rest_are_tried_once(run: Run, table: SliceTable) -> None:
    assert {"hard=false", "hard=true"} <= {one.name for one in find_slices(run)}
    shown = {row.slice.name for row in table.of("category/accuracy")}
    assert "hard=true" in shown and "hard=false" not in shown, "the smaller one"


def test_an_unknown_reference_is_refused(run: Run) -> None:
    with pytest.raises(InputError, match="no variant 'qv-r3'"):
        slice_table(run, "qv-r3")


def test_another_reference_turns_the_sign(run: Run, table: SliceTable) -> None:
    key = ("category/accuracy", "hard=true")
    there = {(row.key, row.slice.name, row.variant): row for row in table.rows}[(*key, "qv-r8")]
    back = {(row.key, row.slice.name, row.variant): row for row in slice_table(run, "qv-r8").rows}[(*key, "baseline")]
    assert back.contrast.difference == pytest.approx(-(there.contrast.difference or 0))
    assert back.contrast.p == pytest.approx(there.contrast.p)


def test_a_planted_slice_is_found_first(tmp_path_factory: pytest.TempPathFactory) -> None:
    rng = np.random.default_rng(12)
    n, task = 200, mini.task(metrics=["accuracy"])
    special = np.arange(n) % 5 == 0
    examples = [
        mini.example("t", i, "yes", language=("zh" if special[i] else "en"), tags=(f"x={rng.integers(4)}",))
        for i in range(n)
    ]
    right = {"baseline": rng.random(n) < 0.5, "lora": rng.random(n) < np.where(special, 0.05, 0.8)}
    evidence = [
        mini.chosen("t", variant, i, "yes" if right[variant][i] else "no") for variant in right for i in range(n)
    ]
    run = mini.write(tmp_path_factory.mktemp("planted") / "run", mini.spec({"t": task}), examples, evidence)
    first = slice_table(run).rows[0]
    assert first.slice.name == "language=zh" and first.contrast.verdict == "worse"
