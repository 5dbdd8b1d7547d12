"""What the analysis says of the raters: agreement, quality, disagreements, and how metrics and model judges agree with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.ratings.analysis.estimate import Estimate

Level = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True)
class AlphaRow:
    """Krippendorff's alpha at one level of measurement; n is the units that two or more rated."""

    level: Level
    alpha: Estimate


@dataclass(frozen=True)
class RaterPair:
    """Two raters on what both rated."""

    first: str
    second: str
    raw: Estimate
    """Share of equal answers."""
    kappa: Estimate
    """Cohen's; quadratic weights where answers have an order (grades, scores, ranks)."""
    weighted: bool


@dataclass(frozen=True)
class AgreementRow:
    """How far raters agree on one criterion."""

    criterion: str
    label: str
    raw: Estimate
    """Share of pairs of answers to one unit that are equal; n is units."""
    alphas: tuple[AlphaRow, ...]
    """The level that fits the mode first: nominal for pairs, ordinal for grades, scores and ranks."""
    fleiss: Estimate
    """Without a value, and a reason, where units have different numbers of raters."""
    pairs: tuple[RaterPair, ...]
    n_units: int
    """That were rated at all: items; in a ranking each output of an item."""

    @property
    def alpha(self) -> AlphaRow:
        """The one to show first."""
        return self.alphas[0]


@dataclass(frozen=True)
class RaterQuality:
    """One rater. n is that rater's answers of the kind named."""

    rater: str
    n_answers: int
    """To the study's own items."""
    n_skipped: int
    left: Estimate
    """Share of left among the rater's decisive answers to pairs; of rankings, of pairs in which what stood further up won."""
    left_p: float | None
    """Exact binomial p of left and right being equally likely."""
    win_rate: Estimate
    """Decisive win rate of all other variants against the reference, by this rater alone; of scores: see ``mean``."""
    mean: Estimate
    """Of scores: the rater's mean over all answers, to see who is strict. None otherwise."""
    changed: Estimate
    """Share of repeats (outputs in reversed order) that got another answer than the first time."""
    flipped: Estimate
    """Share of repeats, among those decided both times, that went to the other variant; not of scores."""
    too_fast: Estimate
    """Share of answers that came sooner than the outputs can be skimmed, see `Quality.too_fast_rule`."""
    seconds_median: float | None
    gold: Estimate
    """Share of gold items answered right."""
    below_gold_threshold: bool
    """Whether that share is below the study's threshold."""
    drift: Drift


@dataclass(frozen=True)
class Drift:
    """First half against second half of the raters' lists."""

    first: Estimate
    """The decisive win rate against the reference (of scores: the mean) in the first half of each rater's list."""
    second: Estimate
    difference: Estimate
    """Second less first; its interval is by example."""
    seconds_first: float | None
    """Median time an answer."""
    seconds_second: float | None


@dataclass(frozen=True)
class Quality:
    """How well the rating went, all raters together and each one."""

    left: Estimate
    """Share of left among decisive answers of all raters; one half is no bias."""
    left_p: float | None
    """Of left and right being equally likely: sign flips by example."""
    changed: Estimate
    flipped: Estimate
    too_fast: Estimate
    too_fast_rule: str
    """The threshold in words."""
    gold: Estimate
    gold_threshold: float
    drift: Drift
    raters: tuple[RaterQuality, ...]
    """In the order of joining; only those with an answer."""


@dataclass(frozen=True)
class RaterVerdict:
    """What one rater said of an item."""

    rater: str
    verdict: str
    """A variant's name, "tie" or "both bad"; of scores "4"; of rankings "a > b = c"; of grades the preferred variant and how much."""
    comment: str


@dataclass(frozen=True)
class Disagreement:
    """An item to discuss."""

    item_id: str
    task: str
    example_id: str
    criterion: str
    variants: tuple[str, ...]
    verdicts: tuple[RaterVerdict, ...]
    opposed: bool
    """Whether one variant and its rival were each preferred by somebody (of scores: 2 levels apart or more)."""


@dataclass(frozen=True)
class MetricAgreement:
    """How an automatic metric orders what people ordered."""

    run: str
    """The run's id."""
    task: str
    metric: str
    """Its name and field, as the run's comparison names it."""
    title: str
    """As its field writes it."""
    criterion: str
    accuracy: Estimate
    """Share of pairs that both decide on which they agree; n is those pairs. One half is chance."""
    tau: Estimate
    """Kendall's tau-b over all rated pairs; n is pairs."""
    n_missing: int
    """Pairs for which the metric has no value."""
    n_tied: int
    """Pairs that people decide and the metric does not."""


@dataclass(frozen=True)
class MetricsAnalysis:
    """Which number to trust: automatic metrics by how they agree with people."""

    rows: tuple[MetricAgreement, ...]
    """Highest accuracy first; those without a value last."""
    reason: str | None
    """Why there are no rows, or why some runs are missing from them."""


@dataclass(frozen=True)
class JudgeResult:
    """A model judge's verdicts on a pair of variants, corrected by the human labels (prediction-powered inference).

    Rates count a tie, and both bad, as half a win.
    """

    judge: str
    variant: str
    against: str
    human: Estimate
    """People alone; n is items that both labelled."""
    judge_alone: Estimate
    """The judge's mean over all it judged; no interval, since its bias is not in one."""
    corrected: Estimate
    """People's rate from both: n is items judged or labelled."""
    judge_bias: float | None
    """How much higher the judge's mean is than people's on what both labelled."""
    judge_weight: float | None
    """How far the judge is used: 1 fully, 0 not at all."""
    n_labelled: int
    n_judged_alone: int
    """Items that the judge alone labelled."""
    accuracy: Estimate
    """Share of items decided by both on which they agree."""
