"""Analyses of studies that were never rated: every field set by hand, so that words and pictures can be tested apart from statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.ratings.analysis.results import (
    AgreementRow,
    AlphaRow,
    Counts,
    Drift,
    Estimate,
    MetricAgreement,
    MetricsAnalysis,
    PairResult,
    PreferenceAnalysis,
    Quality,
    RaterPair,
    RaterQuality,
    ScoreAnalysis,
    ScoreRow,
    Strengths,
    StudyAnalysis,
    VariantStrength,
)

HOSTILE = "<img src=x onerror=alert(1)> $x^2$ **b**"


def number(value: float, width: float = 0.1, n: int = 60) -> Estimate:
    """A number with an interval of twice this width."""
    return Estimate(value, value - width, value + width, n, None, "made up")


def none(reason: str = "undefined: no variation") -> Estimate:
    """A number that is not defined."""
    return Estimate(None, None, None, 0, reason)


def pair(
    variant: str = "qv-r8", against: str = "baseline", wins: int = 40, losses: int = 20, **more: Any
) -> PairResult:
    """One variant against another."""
    n = wins + losses + 12
    fields: dict[str, Any] = {
        "variant": variant, "against": against, "wins": wins, "losses": losses, "ties": 8, "both_bad": 4, "n_identical": 1,
        "n_split": 9, "win": number(wins / n), "loss": number(losses / n), "tie": number(8 / n), "bad": number(4 / n, 0.03),
        "decisive": number(wins / (wins + losses), n=wins + losses), "length_controlled": number(0.6, 0.15), "length_effect": 0.4,
        "sign_p": 0.02, "sign_mid_p": 0.015, "p_adjusted": 0.03, "e_value": 31.0, "threshold": 20.0, "may_stop": True,
        "n_evidence": wins + losses, "needed": 0, "needed_most": 0, "needed_reached": 1.0, "needed_horizon": 2000,
        "grade": None, "grades": (),
    }  # fmt: skip
    return PairResult(**(fields | more))


def strengths(names: Sequence[str]) -> Strengths:
    """Strengths in the order of the names."""
    rows = tuple(
        VariantStrength(
            name, number(0.5 - at * 0.5, 0.3), number(1590 - 90 * at, 50), at + 1, max(1, at), min(len(names), at + 2)
        )
        for at, name in enumerate(names)
    )
    return Strengths(rows, 0.4, number(0.1, 0.2), None, 180, 60, ("Raters are taken as fixed.",))


def preference(variants: Sequence[str], pairs: Sequence[PairResult] | None = None) -> PreferenceAnalysis:
    """The preference between variants, the first being the reference."""
    made = pairs or [pair(name, variants[0], 40 - 9 * at) for at, name in enumerate(variants[1:])]
    of = {(one.variant, one.against): one.decisive for one in made}
    matrix = tuple(
        tuple(of.get((row, column)) or (number(0.4) if (column, row) in of else None) for column in variants)
        for row in variants
    )
    found = strengths([*variants[1:], variants[0]]) if len(variants) > 2 else None
    return PreferenceAnalysis("preference", "Preference", tuple(made), found, matrix)


def agreement(label: str = "Preference", names: Sequence[str] = ("Ana", "Ben")) -> AgreementRow:
    """How two raters agree."""
    pairs = (RaterPair(names[0], names[1], number(0.7), number(0.5), False),) if len(names) > 1 else ()
    alpha = number(0.52, 0.13) if pairs else none("undefined: no item was rated by two")
    return AgreementRow(label.lower(), label, number(0.7), (AlphaRow("nominal", alpha),), number(0.5), pairs, 60)


def rater(name: str = "Ana", **more: Any) -> RaterQuality:
    """A rater with nothing off."""
    drift = Drift(number(0.6), number(0.64), number(0.04), 9.0, 8.0)
    fields: dict[str, Any] = {
        "rater": name, "n_answers": 60, "n_skipped": 2, "left": number(0.52), "left_p": 0.7, "win_rate": number(0.66), "mean": none(),
        "changed": number(0.2), "flipped": number(0.1, 0.1, 8), "too_fast": number(0.02, 0.02), "seconds_median": 8.4,
        "gold": none("undefined: no gold items"), "below_gold_threshold": False, "drift": drift,
    }  # fmt: skip
    return RaterQuality(**(fields | more))


def quality(*raters: RaterQuality, **more: Any) -> Quality:
    """The checks of these raters."""
    fields: dict[str, Any] = {
        "left": number(0.51), "left_p": 0.8, "changed": number(0.2), "flipped": number(0.1), "too_fast": number(0.02, 0.02),
        "too_fast_rule": "sooner than 0.4 s and a tenth of a second a word", "gold": none("undefined: no gold items"),
        "gold_threshold": 0.8, "drift": Drift(number(0.6), number(0.6), number(0.0), 9.0, 8.0), "raters": raters,
    }  # fmt: skip
    return Quality(**(fields | more))


def metric(title: str = "ROUGE-L", accuracy: Estimate | None = None) -> MetricAgreement:
    """A metric beside people."""
    return MetricAgreement(
        "run-1", "reply", title.lower(), title, "preference", accuracy or number(0.7), number(0.3), 0, 3
    )


def scores(variants: Sequence[str], criteria: Sequence[str] = ("Fluency", "Accuracy")) -> ScoreAnalysis:
    """Scores of variants, the first being the reference."""
    rows = tuple(
        ScoreRow(
            label.lower(), label, name, number(3.2 + 0.3 * at), number(0.3 * at, 0.2) if at else None, 0.01 if at else None,
            0.04 if at else None, (2, 6, 20, 24, 8),
        )
        for label in criteria
        for at, name in enumerate(variants)
    )  # fmt: skip
    return ScoreAnalysis(rows, (), ())


def analysis(variants: Sequence[str] = ("baseline", "qv-r8"), **more: Any) -> StudyAnalysis:
    """A study of pairs."""
    counts = Counts(72, 1, 72, 70, 140, 3, 2, 12, 0, 2, 0)
    fields: dict[str, Any] = {
        "study_id": "3f2a90c1b7de", "title": "Replies", "mode": "pair", "graded": False, "closed": True, "variants": tuple(variants),
        "reference": variants[0], "counts": counts, "preferences": (preference(variants),), "scores": None,
        "agreement": (agreement(),), "quality": quality(rater(), rater("Ben")), "disagreements": (),
        "metrics": MetricsAnalysis((metric(),), None), "judges": (), "headline": "The raters prefer qv-r8.", "notes": (),
        "level": 0.95, "resamples": 2000, "seed": 0,
    }  # fmt: skip
    return StudyAnalysis(**(fields | more))


def scored(variants: Sequence[str] = ("baseline", "qv-r8")) -> StudyAnalysis:
    """A study of scores."""
    return replace(analysis(variants), mode="score", preferences=(), scores=scores(variants))
