"""Human preference in one line a study: what people said of a run's variants."""

from __future__ import annotations

from collections.abc import Sequence

from core.notation import MARKS, counted, number_text
from core.ratings.analysis.results import HumanPreference
from core.wording.ratings import in_one, number_texts, share_texts

_LISTED = 4
_HALF = 0.5


def study_lines(found: Sequence[HumanPreference]) -> list[tuple[str, str]]:
    """Return (study id, sentence) for each study, in the order given, ``Replies: qv-r8 ▲ 64 % [55, 72] of 118 pairs``."""
    of_study: dict[str, list[HumanPreference]] = {}
    for one in found:
        of_study.setdefault(one.study_id, []).append(one)
    return [(study_id, _line(some)) for study_id, some in of_study.items()]


def preference_mark(one: HumanPreference) -> str:
    """Return whether people prefer the variant, the reference, or whether that cannot be told.

    The interval is of one look at the end: while the study is open the e-value has to suffice as well.
    """
    low, high = one.win_rate.low, one.win_rate.high
    if one.win_rate.value is None:
        return MARKS["none"]
    if low is None or high is None or low <= _HALF <= high or not (one.closed or one.may_stop):
        return MARKS["unclear"]
    return MARKS["better"] if low > _HALF else MARKS["worse"]


def alpha_text(one: HumanPreference) -> str:
    """Return how far the raters of the study agree; the reason where it is not defined."""
    return number_text(one.alpha, 2) if one.alpha is not None else one.alpha_reason or "not known"


def _line(some: Sequence[HumanPreference]) -> str:
    first = some[0]
    criteria = {one.criterion for one in some}
    parts = []
    for one in some[:_LISTED]:
        what = f" on {one.criterion}" if len(criteria) > 1 else ""
        if one.win_rate.value is None:
            parts.append(f"{one.variant}{what}: {one.win_rate.reason or 'no decisive verdict yet'}")
            continue
        difference = ""
        if one.difference is not None and one.difference.value is not None:
            difference = f", {in_one(number_texts(one.difference, signed=True), one.difference)} levels"
        rate = f"{in_one(share_texts(one.win_rate), one.win_rate)} of {counted(one.win_rate.n, 'decisive verdict')}"
        parts.append(f"{one.variant}{what} {preference_mark(one)} preferred in {rate}{difference}")
    rest = f"; {len(some) - _LISTED:,} more" if len(some) > _LISTED else ""
    facts = [
        counted(first.n_raters, "rater"),
        f"alpha {number_text(first.alpha, 2)}" if first.alpha is not None else "",
    ]
    facts.append("" if first.closed else "the study is open")
    told = ", ".join(fact for fact in facts if fact)
    return f"{first.title}: {'; '.join(parts)}{rest} against {first.against} ({told})."
