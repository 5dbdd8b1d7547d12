"""What parts do, against what was planted, against `compare`, and against outside referees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from core.compare import compare
from core.derived import example_scores
from core.errors import InputError
from core.experiment.results import Experiment, experiment_results
from core.records import BASELINE
from core.store import Run
from tests.ablated import KEPT, NO_SYSTEM, PARTNER, WHOLE, kept_examples, make_ablated_run
from tests.synthetic import make_run

KEY = "category/accuracy"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_ablated_run(tmp_path_factory.mktemp("ablated") / "apart", n=80, tasks=("category",))


@pytest.fixture(scope="module")
def found(run: Run) -> Experiment:
    return experiment_results(run)


def test_values_and_raw_differences_are_those_of_compare(run: Run, found: Experiment) -> None:
    for reference, table in ((WHOLE, found.metric(KEY).to_whole), (BASELINE, found.metric(KEY).to_baseline)):
        row = compare(run, reference).row(KEY)
        assert found.metric(KEY).row.values == row.values
        assert set(table) == set(row.differences)
        for name, one in table.items():
            told = row.differences[name]
            assert (one.difference, one.low, one.high, one.p, one.n) == (
                told.difference, told.low, told.high, told.p, told.n,
            ), name  # fmt: skip


def test_what_a_part_keeps_is_what_was_planted(run: Run, found: Experiment) -> None:
    scores = example_scores(run, "category", "accuracy")
    for name, share in KEPT.items():
        kept = scores.index.isin(kept_examples(list(scores.index), share))
        lost = float(np.where(kept, 0, scores[BASELINE] - scores[WHOLE]).mean())
        assert found.metric(KEY).to_whole[name].difference == pytest.approx(lost), name
    assert found.metric(KEY).to_whole["all-r8.no-attention"].verdict == "worse"


def test_a_part_that_answers_as_the_whole_is_never_told_from_it(found: Experiment) -> None:
    for one in found.metrics:
        for name, share in KEPT.items():
            if share == 1:
                assert (one.to_whole[name].difference, one.to_whole[name].verdict) == (0, "unclear")


def test_all_primary_p_values_are_one_family_of_benjamini_and_hochberg(found: Experiment) -> None:
    raw, adjusted = [], []
    for one in found.metrics:
        assert one.row.primary
        tests = [*(test for name, test in one.to_whole.items() if name != BASELINE), *one.to_baseline.values()]
        tests += [test for effect in one.prompts for test in effect.differences.values()]
        raw += [test.p for test in tests]
        adjusted += [test.p_adjusted for test in tests]
        # The same test as the whole against the baseline, looked at from the other side.
        assert one.to_whole[BASELINE].p_adjusted == one.to_baseline[WHOLE].p_adjusted
    # Parts and the partner against the whole; those and the whole against the baseline; two for the prompt; two metrics.
    assert found.family_size == len(raw) == 2 * (len(KEPT) + 1 + len(KEPT) + 2 + 2)
    assert adjusted == pytest.approx(multipletests(raw, method="fdr_bh")[1])


def test_verdicts_follow_the_adjusted_p_of_this_family(found: Experiment) -> None:
    seen = set()
    for one in found.metrics:
        for test in (*one.to_whole.values(), *one.to_baseline.values()):
            assert test.p_adjusted is not None and test.difference is not None
            told = test.p_adjusted < 0.05 and test.difference != 0
            assert test.verdict == (("better" if test.difference > 0 else "worse") if told else "unclear")
            seen.add(test.verdict)
    assert seen == {"better", "worse", "unclear"}


def test_a_changed_prompt_is_paired_with_the_prompt_as_it_is(run: Run, found: Experiment) -> None:
    (effect,) = found.metric(KEY).prompts
    clean, changed = (example_scores(run, task, "accuracy") for task in ("category", f"category+{NO_SYSTEM}"))
    for name in (WHOLE, BASELINE):
        assert effect.differences[name].difference == pytest.approx(float((changed[name] - clean[name]).mean()))
        assert effect.values[name].value == pytest.approx(float(changed[name].mean()))
    assert effect.differences[BASELINE].difference == 0
    low, high = effect.differences[WHOLE].low, effect.differences[WHOLE].high
    assert low is not None and high is not None
    assert low < float((changed[WHOLE] - clean[WHOLE]).mean()) < high


def test_trials_name_the_variants_of_each_part(found: Experiment) -> None:
    assert [trial.dose for trial in found.trials("strength")] == [0, 0.25, 0.5, 1, 1.5]
    assert {trial.variant for trial in found.trials("mixing")} == {WHOLE, PARTNER, "all-r8+qv-r8.cat-0.5"}
    with pytest.raises(KeyError):
        found.metric("category/none")


def test_a_run_that_takes_nothing_apart_says_how_to_start_one(tmp_path: Path) -> None:
    plain = make_run(tmp_path / "plain", n=4, tasks=("category",))
    with pytest.raises(
        InputError, match=r"run plain: it takes no adapter apart. Start one .* lorascope ablate --adapter"
    ):
        experiment_results(plain)
