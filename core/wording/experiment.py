"""An experiment on an adapter in words: what is lost without which part, and what cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from core.ablation_spec import AblationPart, Change, Trial
from core.experiment.results import Experiment, MetricEffects
from core.notation import MARKS, UNIT_NAMES, drop_texts
from core.records import BASELINE
from core.results import Difference, Verdict

PART_TITLES: dict[AblationPart, str] = {
    "strength": "Strength", "modules": "Modules", "depth": "Depth", "rank": "Rank", "mixing": "Mixing", "prompt": "Prompt",
}  # fmt: skip
"""In the order that a page shows them."""
_NAMED = 3
"""Parts that a sentence names; the others are counted."""
_REST: dict[AblationPart, str] = {
    "strength": "full strength", "modules": "the whole adapter", "depth": "the whole adapter", "rank": "the full rank",
    "mixing": "{whole} alone", "prompt": "the prompt as it is",
}  # fmt: skip

_CHANGES = get_args(Change)

Found = tuple[Trial, Difference]


def phrase(trial: Trial) -> str:
    """Return what a trial is, to follow a verb: ``without MLP``, ``at rank 2``, ``with the first 10 layers alone``."""
    if trial.change == "scaled":
        return f"at strength {trial.dose:g}"
    if trial.change == "truncated":
        return f"at rank {trial.dose:g}"
    if trial.change == "alone":
        return f"with {trial.label}"
    if trial.change in ("first", "last"):
        return f"with the {trial.change} {trial.dose:g} layers alone"
    if trial.change == "mixed":
        return f"as {trial.label}" if trial.method else f"with {trial.label} alone"
    return trial.label


def compared(experiment: Experiment, found: MetricEffects, part: AblationPart) -> list[Found]:
    """Return a part's trials that are neither the whole adapter nor the baseline, each with its difference to the whole.

    Of trials that share a variant the first stands for them. Of ``prompt``: the whole adapter's difference to the prompt
    as it is.
    """
    if part == "prompt":
        return [(one.trial, one.differences[experiment.whole]) for one in found.prompts]
    trials = sorted(experiment.trials(part), key=_order)
    first = {trial.variant: trial for trial in reversed(trials)}
    ends = (experiment.whole, BASELINE)
    return [
        (trial, found.to_whole[trial.variant])
        for trial in trials
        if trial is first[trial.variant] and trial.variant not in ends
    ]


def headline(experiment: Experiment, key: str) -> str:
    """Return the page's first sentences: what the whole adapter does on a metric, and where most of it is lost.

    ``all-r8 is better than the baseline by 25.0 points [17.5, 32.5] of Accuracy (category) ▲, n = 160. Taken apart, it loses
    most without attention, 12.5 points [6.9, 18.1] ▼; 9 of 21 parts cannot be told from the whole adapter.``
    """
    found, whole = experiment.metric(key), experiment.whole
    gain = found.to_baseline.get(whole)
    name = f"{found.row.label} ({found.row.task})"
    if gain is None or gain.difference is None:
        reason = (gain.reason if gain else None) or found.row.values[whole].reason or "nothing is computed yet"
        return f"On {name} {whole} cannot be compared with the baseline: {reason}."
    if gain.verdict in ("better", "worse"):
        start = f"{whole} is {gain.verdict} than the baseline by {_amount(gain, found)} of {name} {MARKS[gain.verdict]}, n = {gain.n:,}."
    else:
        why = f", {gain.reason}" if gain.reason else f" at n = {gain.n:,}"
        start = f"{whole} cannot be told from the baseline on {name}{why}: what its parts do there is as uncertain."
    distinct = {
        trial.variant: (trial, one)
        for part in PART_TITLES
        if part != "prompt"
        for trial, one in compared(experiment, found, part)
        if one.difference is not None
    }
    return " ".join(filter(None, (start, _taken_apart(list(distinct.values()), found))))


def part_sentence(experiment: Experiment, key: str, part: AblationPart) -> str:
    """Return what one part's trials show on a metric.

    ``Without MLP all-r8 is worse by 3.1 points [1.2, 5.0] ▼. The other 4 cannot be told from the whole adapter at n = 160.``
    """
    found = experiment.metric(key)
    trials = compared(experiment, found, part)
    if part == "prompt" and not trials:
        return f"No changed prompt was asked of {found.row.task}, or not of {found.row.label}."
    known = [(trial, one) for trial, one in trials if one.difference is not None]
    if not known:
        reason = next((one.reason for _, one in trials if one.reason), "nothing is computed yet")
        return f"Nothing to compare on {found.row.label}: {reason}."
    rest = _REST[part].format(whole=experiment.whole)
    told = [
        _said(experiment.whole, verdict, _with(known, verdict), found)
        for verdict in ("worse", "better")
        if _with(known, verdict)
    ]
    same = _with(known, "same")
    if same:
        told.append(f"{_listed(same)} it is equivalent to {rest} within the declared band {MARKS['same']}.")
    return " ".join(filter(None, (*told, _untold(known, rest, bool(told)), _missing(len(trials) - len(known)))))


def _order(trial: Trial) -> tuple[int, float]:
    """Return what sorts the trials of a part: left out before alone, then by dose or layer."""
    return _CHANGES.index(trial.change), trial.dose if trial.dose is not None else (trial.layers or (0, 0))[0]


def _taken_apart(parts: Sequence[Found], found: MetricEffects) -> str:
    worse, untold = _with(parts, "worse"), _with(parts, "unclear")
    counted = f"{len(untold)} of {len(parts)} parts cannot be told from the whole adapter"
    if not parts:
        return ""
    if worse:
        trial, most = max(worse, key=_size)
        return f"Taken apart, it loses most {phrase(trial)}, {_amount(most, found)} {MARKS['worse']}; {counted}."
    return f"Taken apart, no part is worse than the whole for certain; {counted}."


def _said(whole: str, verdict: Verdict, some: Sequence[Found], found: MetricEffects) -> str:
    largest = sorted(some, key=_size, reverse=True)
    (first, most), others = largest[0], largest[1:_NAMED]
    start = f"{_capital(phrase(first))} {whole} is {verdict} by {_amount(most, found)}"
    more = [f"{phrase(trial)} by {_amount(one, found)}" for trial, one in others]
    left = len(largest) - 1 - len(others)
    more += [f"in {left} more"] if left else []
    return f"{_joined([start, *more])} {MARKS[verdict]}."


def _untold(known: Sequence[Found], rest: str, after: bool) -> str:
    some = _with(known, "unclear")
    if not some:
        return ""
    sizes = sorted({one.n for _, one in some})
    at = f"n = {sizes[0]:,}" if len(sizes) == 1 else f"n = {sizes[0]:,} to {sizes[-1]:,}"
    if len(some) <= _NAMED:
        return f"{_listed(some)} it cannot be told from {rest} at {at}."
    return (
        f"{f'The other {len(some)} cannot' if after else f'None of the {len(some)} can'} be told from {rest} at {at}."
    )


def _missing(count: int) -> str:
    return f"{count} {'has' if count == 1 else 'have'} no value yet." if count else ""


def _with(some: Sequence[Found], verdict: Verdict) -> list[Found]:
    return [(trial, one) for trial, one in some if one.verdict == verdict]


def _listed(some: Sequence[Found]) -> str:
    return _capital(_joined([phrase(trial) for trial, _ in some]))


def _joined(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _size(one: Found) -> float:
    return abs(one[1].difference or 0.0)


def _amount(difference: Difference, found: MetricEffects) -> str:
    """Return how large a difference is, without its sign, and its interval turned alike: ``3.1 points [1.2, 5.0]``."""
    turned = difference
    if (difference.difference or 0.0) < 0:
        low, high = difference.low, difference.high
        turned = replace(
            difference, difference=abs(difference.difference or 0.0), low=None if high is None else -high + 0.0,
            high=None if low is None else -low + 0.0,
        )  # fmt: skip
    number, interval = drop_texts(turned, found.row.unit)
    unit = "points" if UNIT_NAMES[found.row.unit] == "%" else UNIT_NAMES[found.row.unit]
    return " ".join(filter(None, (number, unit, interval)))
