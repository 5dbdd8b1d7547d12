"""The answer of a study in a sentence or two, and the sentences on how the numbers were made. Plain text."""

from __future__ import annotations

from math import isinf

from core.notation import counted, number_text, percent
from core.ratings.analysis.answers import Rated
from core.ratings.analysis.estimate import Estimate, Settings
from core.ratings.analysis.results import (
    AgreementRow,
    Counts,
    PairResult,
    PreferenceAnalysis,
    Quality,
    ScoreAnalysis,
    ScoreRow,
)

_HALF = 0.5
_AGREE = ((0.8, "very well"), (0.6, "well"), (0.4, "moderately"), (0.2, "a little"), (0.0, "hardly"))
"""Bounds as Landis & Koch (1977) draw them for kappa."""


def headline(
    rated: Rated, counts: Counts, preferences: tuple[PreferenceAnalysis, ...], scores: ScoreAnalysis | None,
    agreement: tuple[AgreementRow, ...], quality: Quality,
) -> str:  # fmt: skip
    """Return what the study says."""
    if not counts.n_answers:
        return _nothing(counts)
    who = "The raters" if counts.n_raters > 1 else "The one rater"
    answer = _scored(scores, rated.main_criterion) if scores is not None else _preferred(preferences[0], who)
    row = next(one for one in agreement if one.criterion == rated.main_criterion)
    told = [
        one for one in (_agreed(row) if counts.n_raters > 1 else "", _side(quality.left, rated.study.plan.mode)) if one
    ]
    stop = _stopping(preferences[0]) if preferences else ""
    return f"{'; '.join([answer, *told])}.{stop}"


def notes(rated: Rated, counts: Counts, settings: Settings) -> tuple[str, ...]:
    """Return how the numbers were made, a sentence each."""
    mode, found = rated.study.plan.mode, []
    if mode == "score":
        found.append("Several raters' scores are averaged within an item before anything else.")
    else:
        found.append(
            "One verdict an item: with several raters the variant with more votes than the other and than both bad, else a tie or "
            "both bad. Swapped repeats, gold and practice items are left out."
        )
    if not rated.closed and counts.n_rated > counts.n_complete and mode != "score":
        waiting = counts.n_rated - counts.n_complete
        found.append(
            f"The e-value leaves {counted(waiting, 'item')} aside until each has all its raters: a majority could still turn."
        )
    if (rated.items["cluster"].notna()).any():
        found.append("Examples of one group are resampled together and give the tests one verdict.")
    found.append(f"Intervals hold with {percent(settings.level)} for other examples; raters are taken as fixed.")
    return tuple(found)


def _nothing(counts: Counts) -> str:
    if counts.n_skipped:
        return f"Nothing can be said yet: all {counted(counts.n_skipped, 'answer')} so far skipped the item."
    if not counts.n_items:
        return "There is nothing to rate: every item has identical outputs."
    return "Nobody has rated an item of this study yet."


def _preferred(found: PreferenceAnalysis, who: str) -> str:
    if found.strengths is not None:
        return _ranked(found, who)
    pair = found.pairs[0] if found.pairs else None
    if pair is None or pair.decisive.value is None:
        return (
            "No verdict is decisive yet"
            if pair is None
            else f"{_start(pair)}: no verdict is decisive yet ({_undecided(pair)})"
        )
    return _decided(pair, who)


def _start(pair: PairResult) -> str:
    return f"{pair.variant} against {pair.against}"


def _undecided(pair: PairResult) -> str:
    return f"{counted(pair.ties, 'tie')}, {pair.both_bad:,} both bad"


def _decided(pair: PairResult, who: str) -> str:
    rate = pair.decisive
    clear = rate.low is not None and rate.high is not None and not rate.low <= _HALF <= rate.high
    prefer = "prefer" if who == "The raters" else "prefers"
    if clear and (rate.value or 0.0) > _HALF:
        return f"{who} {prefer} {pair.variant} to {pair.against} in {_share(rate)} of decisive pairs (n = {rate.n:,})"
    if clear:
        other = f"{who} {prefer} {pair.against} to {pair.variant}"
        return f"{other}: {pair.variant} wins {_share(rate)} of decisive pairs (n = {rate.n:,})"
    unclear = f"Which one {who.lower()} {prefer} cannot be told yet"
    return f"{unclear}: {pair.variant} wins {_share(rate)} of decisive pairs against {pair.against} (n = {rate.n:,})"


def _ranked(found: PreferenceAnalysis, who: str) -> str:
    model = found.strengths
    if model is None or model.reason is not None:
        return f"Who is preferred cannot be told yet ({model.reason if model else 'no comparisons'})"
    first, last = model.variants[0], model.variants[-1]
    between = f"rank 1 to {first.worst}" if first.worst is not None else "without an interval"
    prefer = "prefer" if who == "The raters" else "prefers"
    n = counted(model.n, "comparison")
    if first.worst != 1:
        return f"{first.variant} stands first of {len(model.variants)}, but not surely ({between}; {n})"
    return f"{who} {prefer} {first.variant} to all {len(model.variants) - 1} others; {last.variant} stands last ({n})"


def _scored(scores: ScoreAnalysis | None, criterion: str) -> str:
    rows = [row for row in scores.rows if row.criterion == criterion] if scores else []
    compared = [row for row in rows if row.difference is not None and row.difference.value is not None]
    if not compared:
        known = [f"{row.variant} {number_text(row.mean.value, 2)}" for row in rows if row.mean.value is not None]
        return f"Mean scores: {', '.join(known)}" if known else "There is no score yet"
    best = max(compared, key=lambda row: (row.difference.value or 0.0) if row.difference else 0.0)
    return _difference(best, rows[0], len(compared))


def _difference(row: ScoreRow, reference: ScoreRow, n_compared: int) -> str:
    gap = row.difference or row.mean
    told = number_text(gap.value or 0.0, 2, signed=True) + _bounds(gap, 1.0, 2, signed=True)
    sure = gap.low is not None and gap.high is not None and gap.low * gap.high > 0
    verdict = "" if sure else ", which cannot be told from 0"
    lead = row.variant if n_compared == 1 else f"{row.variant}, the highest of the others,"
    return (
        f"On {row.label.lower()} {lead} differs from {reference.variant} by {told} of 5 levels (n = {gap.n:,}{verdict})"
    )


def _agreed(row: AgreementRow) -> str:
    alpha = row.alpha.alpha
    if alpha.value is None:
        return f"how far they agree cannot be told ({alpha.reason})"
    word = next((word for bound, word in _AGREE if (alpha.value or 0.0) >= bound), "less than by chance")
    return f"they agree {word} (alpha {number_text(alpha.value, 2)}{_bounds(alpha, 1.0, 2)})".replace(
        "agree hardly", "hardly agree"
    )


def _side(left: Estimate, mode: str) -> str:
    if left.value is None or left.low is None or left.high is None:
        return ""
    if left.low <= _HALF <= left.high:
        return "no side is preferred" if mode == "pair" else ""
    sides = ("on the left", "on the right") if mode == "pair" else ("further up", "further down")
    side, share = (sides[0], left.value) if left.value > _HALF else (sides[1], 1 - left.value)
    return f"what stands {side} is preferred in {100 * share:.0f} % of decisive answers"


def _stopping(found: PreferenceAnalysis) -> str:
    if len(found.pairs) != 1 or not found.pairs[0].n_evidence:
        return ""
    pair = found.pairs[0]
    e = e_text(pair.e_value)
    if pair.may_stop:
        return f" You may stop: the e-value is {e}."
    more = f" About {pair.needed:,} more decisive verdicts are likely needed." if pair.needed else ""
    return f" The e-value is {e} of the {pair.threshold:g} at which one may stop.{more}"


def e_text(value: float) -> str:
    """Return an e-value as a person reads it: ``0.22``, ``31``, ``more than a million``."""
    if isinf(value) or value >= 1e6:
        return "more than a million"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _share(rate: Estimate) -> str:
    return f"{100 * (rate.value or 0.0):.0f} %{_bounds(rate, 100.0, 0)}"


def _bounds(number: Estimate, scale: float, places: int, signed: bool = False) -> str:
    if number.low is None or number.high is None:
        return ""
    low, high = (number_text(bound * scale, places, signed) for bound in (number.low, number.high))
    return f" [{low}, {high}]"
