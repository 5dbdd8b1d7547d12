"""Human ratings in words: numbers with their intervals, when one may stop, how much was rated."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf

from core.notation import counted, number_text, p_text, percent
from core.ratings.analysis.estimate import Estimate
from core.ratings.analysis.results import PairResult, StudyAnalysis, VariantStrength

OPEN = (
    "The study is open: raters see nobody else's answers, and this page is the owner's, until it is closed. Looking now costs the "
    "e-value nothing, it holds whenever one looks; the sign test's p holds only at an end that was planned beforehand."
)


def share_texts(estimate: Estimate) -> tuple[str, str]:
    """Return a share and its interval in percent: ``("64 %", "[55, 72]")``; a dash where there is no value.

    A bound on this side of one half never reads as 50.
    """
    known = [100 * x for x in (estimate.value, estimate.low, estimate.high) if x is not None]
    places = int(any(round(x) == 50 and abs(x - 50) > 1e-9 for x in known))
    return _texts(estimate, 100.0, places, " %", signed=False)


def points_texts(estimate: Estimate) -> tuple[str, str]:
    """Return a difference of two shares in points: ``("+4.0", "[−8.1, +16.0]")``."""
    return _texts(estimate, 100.0, 1, "", signed=True)


def number_texts(estimate: Estimate, places: int = 2, signed: bool = False) -> tuple[str, str]:
    """Return a number and its interval: ``("0.52", "[0.38, 0.65]")``; a dash where there is no value."""
    return _texts(estimate, 1.0, places, "", signed=signed)


def in_one(texts: tuple[str, str], estimate: Estimate) -> str:
    """Return a value with its interval as one text, or the reason why there is none."""
    if estimate.value is None:
        return estimate.reason or "not known"
    return " ".join(filter(None, texts))


def e_text(value: float) -> str:
    """Return an e-value as a person reads it: ``3.14``, ``956``, ``more than a million``."""
    if isinf(value) or value >= 1e6:
        return "more than a million"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def stopping(pair: PairResult) -> str:
    """Return whether one may stop rating a pair, and how many more verdicts are likely needed, as a sentence."""
    e, needed = e_text(pair.e_value), f"{pair.threshold:g}"
    if pair.may_stop:
        return f"You may stop: the e-value is {e} (enough: {needed})."
    if pair.n_evidence == 0:
        return f"No decisive verdict counts yet: the e-value is 1 (enough: {needed})."
    if pair.needed is None:
        return (
            f"Not yet: the e-value is {e} of {needed}. Most simulated futures need more than {pair.needed_horizon:,} further decisive "
            "verdicts: the two may be equally liked."
        )
    most = f"; in four of five within {pair.needed_most:,}" if pair.needed_most is not None else ""
    verdicts = "verdict" if pair.needed == 1 else "verdicts"
    return (
        f"Not yet: the e-value is {e} of {needed}. About {pair.needed:,} more decisive {verdicts} are likely needed (half of the "
        f"simulated futures are done by then{most})."
    )


def sign_texts(pair: PairResult) -> tuple[str, str]:
    """Return the sign test's p-value, and the adjusted one where it is another: ``("p = 0.012", "p = 0.036 adjusted")``."""
    if pair.sign_mid_p is None:
        return "–", ""
    other = pair.p_adjusted is not None and pair.p_adjusted != pair.sign_mid_p
    return p_text(pair.sign_mid_p), f"{p_text(pair.p_adjusted)} adjusted" if other else ""


def ranks_text(variant: VariantStrength) -> str:
    """Return the ranks that a variant may have, ``1 to 2``; nothing where strengths have no bounds."""
    if variant.best is None or variant.worst is None:
        return ""
    return f"{variant.best}" if variant.best == variant.worst else f"{variant.best} to {variant.worst}"


def counts_line(analysis: StudyAnalysis) -> str:
    """Return how much was rated, for the grey line."""
    counts = analysis.counts
    facts = [
        f"{counts.n_rated:,} of {counts.n_items:,} items rated",
        f"{counted(counts.n_answers, 'answer')} of {counted(counts.n_raters, 'rater')}",
        f"{counted(counts.n_identical, 'item')} with identical outputs counted apart" if counts.n_identical else "",
        f"{counted(counts.n_repeats, 'swapped repeat')} left out" if counts.n_repeats else "",
        f"{counts.n_skipped:,} skipped" if counts.n_skipped else "", f"{counts.n_flagged:,} flagged" if counts.n_flagged else "",
        f"{percent(analysis.level)} intervals", f"{analysis.resamples:,} resamples", f"seed {analysis.seed}",
        f"study {analysis.study_id}",
    ]  # fmt: skip
    return " · ".join(fact for fact in facts if fact)


def pair_name(pair: PairResult, pairs: Sequence[PairResult]) -> str:
    """Return how a pair is called: by its variant alone where every pair has the same other side."""
    alone = len({one.against for one in pairs}) == 1 and len(pairs) > 1
    return pair.variant if alone else f"{pair.variant} against {pair.against}"


def _texts(estimate: Estimate, scale: float, places: int, unit: str, signed: bool) -> tuple[str, str]:
    if estimate.value is None:
        return "–", ""
    value = number_text(estimate.value * scale, places, signed) + unit
    if estimate.low is None or estimate.high is None:
        return value, ""
    low, high = (number_text(x * scale, places, signed) for x in (estimate.low, estimate.high))
    return value, f"[{low}, {high}]"
