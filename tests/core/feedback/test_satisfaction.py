"""Satisfaction against closed forms."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from core.compare import compare
from core.errors import InputError
from core.feedback import feedback_rows, give_feedback
from core.store import Run
from tests.core import mini
from tests.synthetic import make_run

N = 40


def rated(folder: Path, ups: dict[str, list[int | None]], groups: bool = False) -> Run:
    """A run whose variants have one thumb an example: 1 up, 0 down, None nothing."""
    run = mini.write(
        folder, mini.spec({"t": mini.task("generation", metrics=["exact_match"])}),
        [mini.example("t", i, "x", group=f"g{i // 4}" if groups else None, language="zh" if i < 10 else "en") for i in range(N)], [],
    )  # fmt: skip
    for variant, listed in ups.items():
        for number, up in enumerate(listed):
            if up is not None:
                give_feedback(run, "t", f"e{number:03d}", variant, "up" if up else "down")
    return run


BASE: list[int | None] = [1] * 14 + [0] * 16 + [None] * 10
LORA: list[int | None] = [1] * 12 + [0] * 2 + [1] * 13 + [0] * 3 + [1] * 5 + [None] * 5


def test_one_thumb_an_example_is_a_rate(tmp_path: Path) -> None:
    row = feedback_rows(rated(tmp_path / "run", {"baseline": BASE, "lora": LORA}))[0]
    base, lora = row.values["baseline"], row.values["lora"]
    assert (base.value, base.n, base.n_missing) == (pytest.approx(14 / 30), 30, 5), "35 have some thumb"
    assert (lora.value, lora.n) == (pytest.approx(30 / 35), 35)
    assert (base.low, base.high) == pytest.approx(
        proportion_confint(14, 30, method="wilson")
    ) and base.method == "Wilson"
    difference = row.differences["lora"]
    assert difference.n == 30 and difference.difference == pytest.approx(25 / 30 - 14 / 30)
    # 13 became satisfied, 2 dissatisfied: mid-p of a sign test.
    assert difference.p == pytest.approx(2 * binom.cdf(1, 15, 0.5) + binom.pmf(2, 15, 0.5))
    assert difference.verdict == "better" and difference.method.startswith("mid-p McNemar, Tango")
    assert (row.key, row.family, row.unit) == (
        "t/satisfaction",
        "user feedback",
        "share",
    ) and "no random sample" in row.caution


def test_several_thumbs_on_one_output_are_averaged_first(tmp_path: Path) -> None:
    run = rated(tmp_path / "run", {"baseline": [1, 0] * 10, "lora": [1] * 20})
    give_feedback(run, "t", "e000", "baseline", "down", source="ann")
    give_feedback(run, "t", "e000", "baseline", "down", source="bob")
    row = feedback_rows(run)[0]
    assert (
        row.values["baseline"].value == pytest.approx((9 + 1 / 3) / 20) and "bootstrap" in row.values["baseline"].method
    )
    assert row.differences["lora"].difference == pytest.approx(1 - (9 + 1 / 3) / 20)
    assert row.differences["lora"].method.startswith("sign-flip")


def test_a_changed_mind_counts_once_and_one_taken_back_not_at_all(tmp_path: Path) -> None:
    run = rated(tmp_path / "run", {"lora": [1] * 4})
    give_feedback(run, "t", "e000", "lora", "down")
    give_feedback(run, "t", "e001", "lora")
    give_feedback(run, "t", "e009", "lora", None, "a note alone is no thumb")
    value = feedback_rows(run)[0].values["lora"]
    assert (value.value, value.n) == (pytest.approx(2 / 3), 3)


def test_few_thumbs_give_no_verdict_and_a_variant_without_any_no_value(tmp_path: Path) -> None:
    row = feedback_rows(rated(tmp_path / "run", {"lora": [1] * 10}))[0]
    assert row.values["baseline"].value is None and row.values["baseline"].reason == "nobody gave a thumb"
    assert row.differences["lora"].verdict == "none"
    row = feedback_rows(rated(tmp_path / "other", {"baseline": [0] * 10, "lora": [1] * 10}))[0]
    assert row.differences["lora"].verdict == "unclear" and "too few" in (row.differences["lora"].reason or "")


def test_groups_are_clusters_and_a_filter_keeps_its_examples(tmp_path: Path) -> None:
    run = rated(tmp_path / "run", {"baseline": BASE, "lora": LORA}, groups=True)
    row = feedback_rows(run)[0]
    assert "clusters" in row.values["lora"].method
    part = feedback_rows(run, where=lambda example: example.language == "zh")[0]
    assert part.values["lora"].n == 10
    assert feedback_rows(run, where=lambda example: False) == ()


def test_another_reference_turns_the_sign(tmp_path: Path) -> None:
    run = rated(tmp_path / "run", {"baseline": BASE, "lora": LORA})
    there, back = feedback_rows(run)[0].differences["lora"], feedback_rows(run, "lora")[0].differences["baseline"]
    assert back.difference == pytest.approx(-(there.difference or 0)) and back.p == there.p
    with pytest.raises(InputError, match="no variant 'lorra'"):
        feedback_rows(run, "lorra")


def test_the_comparison_has_it_and_a_new_thumb_shows_at_once(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", n=20, variants=("baseline", "qv-r8"), tasks=("category",))
    assert compare(run).feedback == ()
    first = run.examples[0].id
    give_feedback(run, "category", first, "qv-r8", "up")
    assert compare(run).feedback[0].values["qv-r8"].value == 1.0
    give_feedback(run, "category", first, "qv-r8", "down")
    assert compare(run).feedback[0].values["qv-r8"].value == 0.0
    give_feedback(run, "category", "an example that is gone", "qv-r8", "down")
    assert compare(run).feedback[0].values["qv-r8"].n == 1
