"""What the analysis of a study says, as plain frozen data: pages, reports and tables draw from it and compute nothing.

Names of raters and variants, comments and criteria are what people wrote: show them as text.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.ratings.analysis.estimate import Estimate
from core.ratings.analysis.results_preference import (
    PairResult,
    PreferenceAnalysis,
    ScoreAnalysis,
    ScoreRow,
    Strengths,
    VariantStrength,
)
from core.ratings.analysis.results_quality import (
    AgreementRow,
    AlphaRow,
    Disagreement,
    Drift,
    JudgeResult,
    Level,
    MetricAgreement,
    MetricsAnalysis,
    Quality,
    RaterPair,
    RaterQuality,
    RaterVerdict,
)
from core.ratings.records import Mode

__all__ = [
    "AgreementRow",
    "AlphaRow",
    "Counts",
    "Disagreement",
    "Drift",
    "Estimate",
    "HumanPreference",
    "JudgeResult",
    "Level",
    "MetricAgreement",
    "MetricsAnalysis",
    "PairResult",
    "PreferenceAnalysis",
    "Quality",
    "RaterPair",
    "RaterQuality",
    "RaterVerdict",
    "ScoreAnalysis",
    "ScoreRow",
    "Strengths",
    "StudyAnalysis",
    "VariantStrength",
]


@dataclass(frozen=True)
class Counts:
    """How much was rated. Answers of a model judge are in none of these but ``n_judged``."""

    n_items: int
    """The study's own items, without those of identical outputs."""
    n_identical: int
    """Items whose outputs are the same text: ties by themselves, shown to nobody, in no rate below."""
    n_rated: int
    """Items with at least one answer."""
    n_complete: int
    """Items with as many answers as the study asks for; all that were rated once it is closed."""
    n_answers: int
    """Answers to the study's own items that count; practice, gold and repeats left out. An answer to four criteria is one."""
    n_skipped: int
    n_flagged: int
    """Items that somebody flagged."""
    n_repeats: int
    n_gold: int
    n_raters: int
    """With at least one answer."""
    n_judged: int
    """Answers of model judges within the study."""


@dataclass(frozen=True)
class StudyAnalysis:
    """All that is said of a study."""

    study_id: str
    title: str
    mode: Mode
    graded: bool
    closed: bool
    variants: tuple[str, ...]
    """The reference first."""
    reference: str
    counts: Counts
    preferences: tuple[PreferenceAnalysis, ...]
    """One a criterion; empty for mode score."""
    scores: ScoreAnalysis | None
    """Of mode score."""
    agreement: tuple[AgreementRow, ...]
    """One a criterion."""
    quality: Quality
    disagreements: tuple[Disagreement, ...]
    """Items on which raters differ, the hardest conflicts first."""
    metrics: MetricsAnalysis
    judges: tuple[JudgeResult, ...]
    headline: str
    """The answer in a sentence or two, plain text. Holds names that people wrote: show it as text."""
    notes: tuple[str, ...]
    """Sentences on how the numbers were made, for the grey line."""
    level: float
    """Of all intervals."""
    resamples: int
    seed: int


@dataclass(frozen=True)
class HumanPreference:
    """One line for a run: what people said of a variant against the reference in one study, by one criterion."""

    study_id: str
    title: str
    mode: Mode
    closed: bool
    variant: str
    """As the run calls it; so is ``against``."""
    against: str
    criterion: str
    win_rate: Estimate
    """Decisive win rate (of scores: share of examples on which the variant got the higher score, equal ones left out)."""
    difference: Estimate | None
    """Of scores: the mean paired difference; None for others."""
    e_value: float
    may_stop: bool
    alpha: float | None
    """Krippendorff's, all variants of the study together; None where it is not defined, ``alpha_reason`` then says why."""
    alpha_reason: str | None
    n_raters: int
    sentence: str
    """The same in words, plain text."""
