"""Raters in words: how far they agree, what is off with one of them, and which metric orders answers as they do."""

from __future__ import annotations

from collections.abc import Sequence

from core.notation import counted, duration_text
from core.ratings.analysis.results import AgreementRow, MetricAgreement, Quality, RaterQuality
from core.wording.ratings import in_one, number_texts, share_texts

LEANING_P = 0.05
"""A rater's lean to one side is said from this p on, divided by the number of raters."""
FLIPPED_FROM, FLIPS_NEEDED = 0.3, 5
"""From this share of flipped repeats on, among so many at least, a rater contradicts themselves."""
TOO_FAST_FROM = 0.1
FASTER_THAN = 0.5
"""A rater's second half is hurried where it takes less than this share of the first half's time."""
_HALF = 0.5
_NAMED = 4
_AGREEMENT = (
    (0.8, "agree very well"), (0.6, "agree well"), (0.4, "agree moderately"), (0.2, "agree a little"), (0.0, "hardly agree"),
    (-1.0, "agree less than by chance"),
)  # fmt: skip


def rater_concerns(rater: RaterQuality, quality: Quality) -> tuple[str, ...]:
    """Return what is off with a rater's answers, each as a part of a sentence; empty where nothing is."""
    found = [_lean(rater, len(quality.raters))]
    flipped, drift = rater.flipped, rater.drift
    if flipped.value is not None and flipped.n >= FLIPS_NEEDED and flipped.value >= FLIPPED_FROM:
        found.append(f"chose the other side on {round(flipped.value * flipped.n):,} of {flipped.n:,} swapped repeats")
    if rater.too_fast.value is not None and rater.too_fast.value >= TOO_FAST_FROM:
        found.append(f"gave {share_texts(rater.too_fast)[0]} of the answers sooner than the outputs can be skimmed")
    if rater.below_gold_threshold:
        found.append(
            f"got {share_texts(rater.gold)[0]} of the gold items right, expected {100 * quality.gold_threshold:.0f} %"
        )
    low, high = drift.difference.low, drift.difference.high
    if low is not None and high is not None and low * high > 0:
        found.append("judged the second half otherwise than the first")
    if drift.seconds_first and drift.seconds_second and drift.seconds_second < FASTER_THAN * drift.seconds_first:
        first, second = duration_text(drift.seconds_first), duration_text(drift.seconds_second)
        found.append(f"hurried: {first} an answer in the first half, {second} in the second")
    return tuple(one for one in found if one)


def _lean(rater: RaterQuality, n_raters: int) -> str:
    left = rater.left
    if left.value is None or rater.left_p is None or rater.left_p >= LEANING_P / max(n_raters, 1):
        return ""
    side, share = ("left", left.value) if left.value > _HALF else ("right", 1 - left.value)
    return f"leans to the {side}: {100 * share:.0f} % of {left.n:,} decisive answers"


def raters_sentence(quality: Quality) -> str:
    """Return whether anything is off with the raters, as a sentence."""
    if not quality.raters:
        return "Nobody has rated an item of this study yet."
    off = [rater.rater for rater in quality.raters if rater_concerns(rater, quality)]
    n = len(quality.raters)
    if not off:
        return (
            f"{'The one rater' if n == 1 else f'Each of the {n:,} raters'} passes every check that has enough answers."
        )
    named = ", ".join(off[:_NAMED]) + (f" and {len(off) - _NAMED:,} more" if len(off) > _NAMED else "")
    return f"Something is off with {len(off):,} of {counted(n, 'rater')}: {named}. The table says what."


def agreement_sentence(rows: Sequence[AgreementRow]) -> str:
    """Return how far the raters agree on each criterion, as a sentence."""
    if not any(row.n_units for row in rows):
        return "Nobody has rated an item of this study yet."
    known = [row for row in rows if row.alpha.alpha.value is not None]
    if not known:
        return f"How far the raters agree cannot be said: {rows[0].alpha.alpha.reason or 'it is not known why'}."
    told = []
    for row in known:
        alpha = row.alpha.alpha
        what = f" on {row.label.lower()}" if len(rows) > 1 else ""
        told.append(f"{_agree_word(alpha.value or 0.0)}{what} (alpha {in_one(number_texts(alpha), alpha)})")
    return f"The raters {'; '.join(told)}."


def _agree_word(alpha: float) -> str:
    return next(word for least, word in _AGREEMENT if alpha >= least)


def side_sentence(quality: Quality) -> str:
    """Return whether a side was preferred, as a sentence; empty without a decisive answer."""
    left = quality.left
    if left.value is None:
        return ""
    told = in_one(share_texts(left), left)
    if left.low is None or left.high is None or left.low <= _HALF <= left.high:
        return f"No side is preferred: {told} of decisive answers chose the left."
    side = "left" if left.value > _HALF else "right"
    return f"The {side} side is preferred: {told} of decisive answers chose the left. Sides are balanced, so that no variant gains."


def metrics_sentence(rows: Sequence[MetricAgreement]) -> str:
    """Return which metric orders answers most as the raters do, as a sentence.

    Args:
        rows: those with a value, the best first, at least one.
    """
    better = [row for row in rows if row.accuracy.low is not None and row.accuracy.low > _HALF]
    best = rows[0]
    told = f"{best.title} on {best.task}: {in_one(share_texts(best.accuracy), best.accuracy)} of {counted(best.accuracy.n, 'pair')}"
    n = len(rows)
    if not better:
        which = "The one metric orders" if n == 1 else f"None of {n:,} metrics orders"
        nearest = "It has" if n == 1 else "The nearest is"
        chance = "no more often than chance would" if n == 1 else "more often than chance would"
        return f"{which} answers as the raters do {chance}. {nearest} {told}."
    which = (
        "The one metric orders"
        if n == 1
        else f"{len(better):,} of {n:,} metrics {'orders' if len(better) == 1 else 'order'}"
    )
    return f"{which} answers as the raters do more often than chance would. First comes {told}."
