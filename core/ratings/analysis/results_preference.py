"""What the analysis says of pairs, rankings and scores, as plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass

from core.ratings.analysis.estimate import Estimate


@dataclass(frozen=True)
class PairResult:
    """One variant against another, by one criterion. One verdict an item: several raters' is that of their majority."""

    variant: str
    against: str
    """The reference where it is one of the two."""
    wins: int
    """Items won by ``variant``."""
    losses: int
    ties: int
    both_bad: int
    n_identical: int
    """Items of this pair with identical outputs, in none of the numbers here."""
    n_split: int
    """Items on which the raters were not all of one mind."""
    win: Estimate
    """Share of wins among all verdicts, 0 to 1; n is the verdicts. So are the next three."""
    loss: Estimate
    tie: Estimate
    bad: Estimate
    """Share of "both bad"."""
    decisive: Estimate
    """The decisive win rate: wins among wins and losses; n is those."""
    length_controlled: Estimate
    """The decisive win rate between answers of equal length."""
    length_effect: float | None
    """What a much longer answer adds to the log-odds of winning; above 0 the raters like length."""
    sign_p: float | None
    """Of the exact sign test, two-sided; None without a decisive verdict."""
    sign_mid_p: float | None
    """The same by mid-p: the one to show."""
    p_adjusted: float | None
    """``sign_mid_p`` by Holm's correction over all pairs and criteria of the study."""
    e_value: float
    """Evidence that holds whenever one looks; 1 before the first verdict, infinite beyond what a float holds."""
    threshold: float
    """The e-value from which one may stop: 20, times how many pairs and criteria are looked at."""
    may_stop: bool
    n_evidence: int
    """Decisive verdicts behind the e-value. While the study is open only complete items give one, since a majority could still
    turn; the examples of one group give one together, to the e-value and to the sign test."""
    needed: int | None
    """How many more decisive verdicts are needed in half of the simulated futures; 0 where one may stop, None where more than half
    are not done within ``needed_horizon``."""
    needed_most: int | None
    """The same for four of five."""
    needed_reached: float
    """Share of the simulated futures that are done within the horizon."""
    needed_horizon: int
    grade: Estimate | None
    """Graded pairs: the mean grade for ``variant``, -3 to 3, raters averaged within an item; n is items. None for others."""
    grades: tuple[int, ...]
    """Graded pairs: how many answers gave -3, -2 ... 3 for ``variant``; empty for others."""


@dataclass(frozen=True)
class VariantStrength:
    """Where a variant stands among three and more."""

    variant: str
    strength: Estimate
    """Natural log of its worth; all variants' sum to 0. n is the comparisons that it was part of."""
    elo: Estimate
    """The same on the scale of Elo, 1500 being the middle: for display alone."""
    rank: int | None
    """1 is the most preferred; None where strengths have no value."""
    best: int | None
    worst: int | None
    """The variant's rank lies between both, for all variants together at the level; None where strengths have no bounds."""


@dataclass(frozen=True)
class Strengths:
    """Davidson's model with ties and a position term. Raters are taken as fixed: other raters might say otherwise."""

    variants: tuple[VariantStrength, ...]
    """Strongest first; in the study's order where there are no values."""
    tie_parameter: float | None
    """How many ties for each win among equals; both-bad counts as a tie here."""
    position: Estimate
    """What standing on the left (in a ranking: further up on screen) adds to the log-odds of being preferred."""
    reason: str | None
    """Why there are no strengths; None where there are."""
    n: int
    """Comparisons: each answer to a pair; each pair of each ranking."""
    n_examples: int
    """What was resampled: examples, or their groups."""
    notes: tuple[str, ...]
    """Sentences on how it was made."""


@dataclass(frozen=True)
class PreferenceAnalysis:
    """Who is preferred by one criterion."""

    criterion: str
    label: str
    pairs: tuple[PairResult, ...]
    """Each two variants that met, those with the reference first; pairs that share items with identical outputs alone too."""
    strengths: Strengths | None
    """None where the study has two variants."""
    matrix: tuple[tuple[Estimate | None, ...], ...]
    """Decisive win rate of the row's variant against the column's, in the order of `StudyAnalysis.variants`; None where two never
    met and on the diagonal."""


@dataclass(frozen=True)
class ScoreRow:
    """One variant by one criterion, 1 to 5; several raters are averaged within an item first."""

    criterion: str
    label: str
    variant: str
    mean: Estimate
    """n is items."""
    difference: Estimate | None
    """To the reference on the same examples; n is examples. None for the reference itself."""
    p: float | None
    """Of the paired difference (sign flips, two-sided)."""
    p_adjusted: float | None
    """By Holm's correction over criteria and variants."""
    levels: tuple[int, ...]
    """How many answers gave 1, 2, 3, 4, 5."""


@dataclass(frozen=True)
class ScoreAnalysis:
    """Scores by criterion; different criteria are averaged only by weights that the user gives."""

    rows: tuple[ScoreRow, ...]
    """By criterion, then variant, both in the study's order."""
    weighted: tuple[ScoreRow, ...]
    """One a variant with criterion "weighted" and no levels; empty where no weights were given."""
    weights: tuple[tuple[str, float], ...]
    """(criterion, weight), weights summing to 1."""
