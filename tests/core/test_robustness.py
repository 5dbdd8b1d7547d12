"""Drops under perturbation against closed forms and outside referees; what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score
from statsmodels.stats.multitest import multipletests

from core.compare import compare
from core.records import BASELINE
from core.results import RobustnessRow
from core.robustness import original_of, robustness
from core.stats import mcnemar, paired_difference_interval
from core.store import Run
from tests.core import mini
from tests.core.perturbed_runs import LABELS, VARIANTS, examples, labelled, twin


def answers_of(
    rng: np.random.Generator, references: Sequence[str], rates: Mapping[tuple[str, str], float]
) -> dict[tuple[str, str], list[str | None]]:
    """Answers that are right at the given rate, by (task, variant)."""
    return {
        key: [str(rng.choice([one for one in LABELS if one != right])) if rng.random() > rate else right for right in references]
        for key, rate in rates.items()
    }  # fmt: skip


RATES = {("t", BASELINE): 0.8, ("t", "lora"): 0.95, ("t+typos", BASELINE): 0.7, ("t+typos", "lora"): 0.4}


def run_of(
    folder: Path, answers: Mapping[tuple[str, str], Sequence[str | None]], references: Sequence[str], *,
    metrics: Sequence[str] = ("accuracy", "f1_macro"), groups: int = 0,
) -> Run:  # fmt: skip
    clean = mini.task(metrics=metrics)
    spec = mini.spec({"t": clean, "t+typos": twin(clean)})
    given = examples("t", references, groups=groups) + examples("t+typos", references, "X", groups)
    return mini.write(folder / "run", spec, given, labelled(answers))


@pytest.fixture
def references() -> list[str]:
    return [str(one) for one in np.random.default_rng(5).choice(LABELS, size=120)]


def by_metric(run: Run, **more: object) -> dict[str, RobustnessRow]:
    return {row.metric: row for row in robustness(run, **more)}  # type: ignore[arg-type]


def right(answers: Sequence[str | None], references: Sequence[str]) -> np.ndarray:
    return np.array([a == b for a, b in zip(answers, references, strict=True)])


def test_a_drop_of_a_rate_is_the_paired_difference_with_its_test(tmp_path: Path, references: list[str]) -> None:
    answers = answers_of(np.random.default_rng(1), references, RATES)
    row = by_metric(run_of(tmp_path, answers, references))["accuracy"]
    assert row.key == "t+typos/accuracy"
    assert (row.perturbation_label, row.perturbation_family, row.n_changed) == ("Typos", "noise", 120)
    for variant in VARIANTS:
        clean, perturbed = (right(answers[task, variant], references) for task in ("t", "t+typos"))
        assert row.clean[variant].value == pytest.approx(clean.mean())
        assert row.perturbed[variant].value == pytest.approx(perturbed.mean())
        drop = row.drops[variant]
        assert drop.difference == pytest.approx(clean.mean() - perturbed.mean())
        only, lost = int((clean & ~perturbed).sum()), int((~clean & perturbed).sum())
        assert drop.p == pytest.approx(mcnemar(only, lost).mid_p)
        both, neither = int((clean & perturbed).sum()), int((~clean & ~perturbed).sum())
        low, high = paired_difference_interval(both, only, lost, neither)
        assert (drop.low, drop.high) == (pytest.approx(low), pytest.approx(high))
        assert drop.n == 120
    assert row.drops["lora"].verdict == "worse"
    gap = row.drops["lora"].difference - row.drops[BASELINE].difference  # type: ignore[operator]
    assert row.differences["lora"].difference == pytest.approx(gap)
    assert list(row.differences) == ["lora"]
    assert row.differences["lora"].verdict == "worse"


def test_a_drop_of_a_corpus_value_is_that_of_the_referee(tmp_path: Path, references: list[str]) -> None:
    answers = answers_of(np.random.default_rng(2), references, RATES)
    row = by_metric(run_of(tmp_path, answers, references))["f1_macro"]
    f1 = {key: f1_score(references, [str(one) for one in given], average="macro") for key, given in answers.items()}
    for variant in VARIANTS:
        drop = row.drops[variant]
        assert drop.difference == pytest.approx(f1["t", variant] - f1["t+typos", variant])
        assert drop.low < drop.difference < drop.high  # type: ignore[operator]
        assert "swap test" in drop.method


def test_the_difference_of_drops_is_tested_by_exchanging_the_pairs(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    references = [str(one) for one in rng.choice(LABELS, size=16)]
    answers = answers_of(rng, references, RATES)
    found = by_metric(run_of(tmp_path, answers, references))["accuracy"].differences["lora"]
    drops = {v: right(answers["t", v], references) * 1.0 - right(answers["t+typos", v], references) for v in VARIANTS}
    gaps = drops["lora"] - drops[BASELINE]
    signs = np.array(list(product((1, -1), repeat=len(gaps))))
    exact = np.mean(np.abs(signs @ gaps) >= abs(gaps.sum()) - 1e-9)
    assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 10_000) + 1e-4)


def test_another_reference_turns_the_sign_and_keeps_p(tmp_path: Path, references: list[str]) -> None:
    run = run_of(tmp_path, answers_of(np.random.default_rng(3), references, RATES), references)
    one, other = by_metric(run), by_metric(run, reference="lora")
    for metric in ("accuracy", "f1_macro"):
        ahead, back = one[metric].differences["lora"], other[metric].differences[BASELINE]
        assert back.difference == pytest.approx(-ahead.difference)  # type: ignore[operator]
        assert (back.low, back.high) == (pytest.approx(-ahead.high), pytest.approx(-ahead.low))  # type: ignore[operator]
        assert back.p == pytest.approx(ahead.p)
        assert one[metric].drops == other[metric].drops


def test_all_p_values_are_one_family(tmp_path: Path, references: list[str]) -> None:
    rows = robustness(run_of(tmp_path, answers_of(np.random.default_rng(4), references, RATES), references))
    tests = [one for row in rows for one in (*row.drops.values(), *row.differences.values())]
    assert len(tests) == 6
    expected = np.asarray(multipletests([one.p for one in tests], method="fdr_bh")[1])
    assert [one.p_adjusted for one in tests] == pytest.approx(expected.tolist())


def test_an_unchanged_input_drops_nothing(tmp_path: Path, references: list[str]) -> None:
    answers = answers_of(np.random.default_rng(6), references, {key: 0.8 for key in RATES if key[0] == "t"})
    same = answers | {("t+typos", variant): answers["t", variant] for variant in VARIANTS}
    clean = mini.task(metrics=("accuracy", "f1_macro"))
    spec = mini.spec({"t": clean, "t+typos": twin(clean)})
    given = examples("t", references) + examples("t+typos", references)
    for row in robustness(mini.write(tmp_path / "run", spec, given, labelled(same))):
        assert row.n_changed == 0
        for one in (*row.drops.values(), *row.differences.values()):
            assert (one.difference, one.p, one.verdict) == (0.0, pytest.approx(1.0), "unclear")


def test_less_is_better_drops_upward(tmp_path: Path) -> None:
    clean = mini.task("likelihood", prompt="{text}", metrics=("perplexity",))
    spec = mini.spec({"t": clean, "t+typos": twin(clean)})
    given = examples("t", ["r"] * 20) + examples("t+typos", ["r"] * 20, "X")
    evidence = [
        mini.likely(task, variant, k, [-1.0 - 0.01 * k - worse] * 3)
        for task, extra in (("t", 0.0), ("t+typos", 0.5))
        for variant, worse in ((BASELINE, extra), ("lora", 2 * extra))
        for k in range(20)
    ]
    (row,) = robustness(mini.write(tmp_path / "run", spec, given, evidence))
    base = np.exp(1.0 + 0.01 * np.mean(range(20)))
    assert row.drops[BASELINE].difference == pytest.approx(base * (np.exp(0.5) - 1))
    assert row.drops["lora"].difference == pytest.approx(base * (np.exp(1.0) - 1))
    assert (row.drops[BASELINE].verdict, row.differences["lora"].verdict) == ("worse", "worse")


def test_what_is_missing_is_said_and_left_out_of_the_pairs(tmp_path: Path, references: list[str]) -> None:
    answers = answers_of(np.random.default_rng(8), references, RATES)
    answers["t+typos", "lora"][0] = None
    answers["t", "lora"][1] = None
    row = by_metric(run_of(tmp_path, answers, references))["accuracy"]
    assert (row.clean["lora"].n_missing, row.perturbed["lora"].n_missing) == (1, 1)
    assert row.drops["lora"].n == row.differences["lora"].n == 118
    assert row.drops[BASELINE].n == 120

    nothing = {key: given for key, given in answers.items() if key[0] == "t"}
    row = by_metric(run_of(tmp_path / "clean-only", nothing, references))["accuracy"]
    assert row.perturbed["lora"].value is None
    assert row.perturbed["lora"].reason == "the run has no evidence of this example"
    assert (row.drops["lora"].verdict, row.drops["lora"].difference) == ("none", None)
    assert row.drops["lora"].reason == "no example has a value for both"


def test_few_examples_have_no_verdict(tmp_path: Path) -> None:
    few = ["yes"] * 14
    answers = {
        (task, variant): ["yes" if task == "t" else "no"] * 14 for task in ("t", "t+typos") for variant in VARIANTS
    }
    row = by_metric(run_of(tmp_path, answers, few))["accuracy"]
    assert row.drops["lora"].difference == 1.0
    assert row.drops["lora"].verdict == "unclear"
    assert "too few examples (n = 14" in (row.drops["lora"].reason or "")


def test_groups_and_filters_reach_the_drops(tmp_path: Path, references: list[str]) -> None:
    answers = answers_of(np.random.default_rng(9), references, RATES)
    run = run_of(tmp_path, answers, references, groups=30)
    row = by_metric(run, where=lambda example: "half=first" in example.tags)["accuracy"]
    assert row.drops["lora"].n == 60
    expected = (
        right(answers["t", "lora"], references)[:60].mean() - right(answers["t+typos", "lora"], references)[:60].mean()
    )
    assert row.drops["lora"].difference == pytest.approx(expected)
    assert "30 clusters" in row.drops["lora"].method


def test_twins_are_no_rows_of_the_comparison_and_no_family(tmp_path: Path, references: list[str]) -> None:
    run = run_of(tmp_path, answers_of(np.random.default_rng(10), references, RATES), references)
    comparison = compare(run)
    assert {row.task for row in comparison.rows} == {"t"}
    assert comparison.family_size == 2
    assert comparison.robustness == robustness(run)
    assert compare(Run(run.folder)) == comparison, "what was kept is what was computed"


def test_a_run_without_perturbations_has_no_rows(tmp_path: Path) -> None:
    clean = mini.task(metrics=("accuracy",))
    run = mini.write(tmp_path / "run", mini.spec({"t": clean}), examples("t", ["yes"]), [])
    assert robustness(run) == ()


def test_an_example_leads_to_its_original(tmp_path: Path, references: list[str]) -> None:
    run = run_of(tmp_path, {}, references)
    perturbed = next(example for example in run.examples if example.task == "t+typos" and example.id == "e003")
    original = original_of(run, perturbed)
    assert original is not None
    assert (original.task, original.id, original.fields) == ("t", "e003", {"text": "x3"})
    assert original_of(run, original) is None
