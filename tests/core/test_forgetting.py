"""Forgetting is read from the comparison, and its ratio is exact."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.compare import compare, statistics_for
from core.forgetting import ForgettingReport, forgetting
from core.spec import ForgettingSpec
from core.store import Run
from tests.core import mini
from tests.synthetic import make_run


def asking(run: Run, general: str = "general", domain: str = "reply", **more: object) -> Run:
    opened = Run(run.folder)
    asked = ForgettingSpec(general=general, domain=domain)
    opened.__dict__["spec"] = run.spec.model_copy(update={"forgetting": asked, **more})
    return opened


def report(run: Run) -> ForgettingReport:
    found = forgetting(run, compare(run))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("forgetting") / "run", n=60, tasks=("reply", "general"))


def test_nothing_where_nothing_is_declared(run: Run) -> None:
    assert forgetting(run, compare(run)) is None


def test_differences_are_the_comparisons_own(run: Run) -> None:
    asked = asking(run)
    found, comparison = report(asked), compare(asked)
    assert [row.metric for row in found.general_rows] == ["bits_per_byte", "perplexity"]
    assert [one.variant for one in found.variants] == ["qv-r8", "all-r8", "qv-r2"] and found.reason is None
    for one in found.variants:
        assert one.bits_per_byte is comparison.row("general/bits_per_byte").differences[one.variant] or (
            one.bits_per_byte == comparison.row("general/bits_per_byte").differences[one.variant]
        )
        assert one.verdict == comparison.row("general/bits_per_byte").differences[one.variant].verdict
        assert one.token_accuracy is None and one.perplexity is not None
        assert set(one.domain) == {f"reply/{name}" for name in ("bleu", "chrf", "rouge_l", "exact_match", "perplexity")}


def test_the_ratio_is_exact_and_its_interval_that_of_the_resampled_ratio(run: Run) -> None:
    for one in report(asking(run)).variants:
        mine, base = (statistics_for(run, "general", "perplexity", name).array for name in (one.variant, "baseline"))
        assert one.ratio is not None
        expected = math.exp((mine[:, 0].sum() - base[:, 0].sum()) / base[:, 1].sum())
        assert one.ratio.ratio == pytest.approx(expected)
        weights = np.random.default_rng(1).multinomial(len(base), np.full(len(base), 1 / len(base)), 20_000)
        drawn = np.exp(weights @ (mine[:, 0] - base[:, 0]) / (weights @ base[:, 1]))
        assert (one.ratio.low, one.ratio.high) == pytest.approx(np.quantile(drawn, (0.025, 0.975)), rel=0.02)


def test_without_bits_per_byte_the_ratio_has_no_interval(run: Run) -> None:
    task = run.spec.tasks["general"].model_copy(update={"metrics": ("perplexity",)})
    found = report(asking(run, tasks={**run.spec.tasks, "general": task}))
    one = found.variants[0]
    assert one.bits_per_byte is None and one.ratio is not None and (one.ratio.low, one.ratio.high) == (None, None)
    assert one.verdict == found.general_rows[0].differences[one.variant].verdict


def test_no_ratio_of_perplexities_over_different_texts(tmp_path: Path) -> None:
    tasks = {
        "g": mini.task("likelihood", template="none", metrics=["perplexity", "bits_per_byte"]),
        "d": mini.task(metrics=["accuracy"]),
    }
    examples = [mini.example(task, i, "x") for task in tasks for i in range(20)]
    evidence = [
        mini.failed("g", "lora", i) if variant == "lora" and i < 3 else mini.likely("g", variant, i, [-1.0, -0.5 - i / 9])
        for variant in ("baseline", "lora") for i in range(20)
    ]  # fmt: skip
    found = report(asking(mini.write(tmp_path / "run", mini.spec(tasks), examples, evidence), "g", "d"))
    assert found.variants[0].ratio is None
    assert found.variants[0].perplexity is not None and found.variants[0].perplexity.n == 17


@pytest.mark.parametrize(
    ("general", "domain", "reason"),
    [
        ("general", "category", "the task category is not part of this run"),
        ("texts", "reply", "the task texts is not part of this run"),
    ],
)
def test_a_task_that_was_not_run_is_the_reason(run: Run, general: str, domain: str, reason: str) -> None:
    found = report(asking(run, general, domain))
    assert found.reason == reason and found.variants == ()


def test_a_task_without_the_metrics_is_the_reason(run: Run) -> None:
    general = run.spec.tasks["general"].model_copy(update={"metrics": ("reference_log_likelihood",)})
    found = report(asking(run, tasks={**run.spec.tasks, "general": general}))
    assert found.reason == "the task general computes none of bits_per_byte, perplexity, token_accuracy"
    reply = run.spec.tasks["reply"].model_copy(update={"primary": ()})
    narrow = asking(run, tasks={**run.spec.tasks, "reply": reply}, family=("general/perplexity",))
    assert report(narrow).reason == "the task reply has no primary metric"
