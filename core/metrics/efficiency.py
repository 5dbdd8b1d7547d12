"""Speed and memory of each variant, from a run's probe: each variant alone, warmed up, in interleaved order, repeated.

These are not metrics by example: a shared batch or a cache has no speed of its own, so nothing here comes from evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from core.errors import InputError

_T = TypeVar("_T")

MIN_REPEATS = 5
"""Repeats that an interval needs."""
RESAMPLES = 2_000


@dataclass(frozen=True)
class Measured:
    """A figure with its bootstrap interval over repeats; the interval is None below `MIN_REPEATS` repeats."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Efficiency:
    """What one variant costs."""

    variant: str
    repeats: int
    answers: int
    """Timed answers: prompts x repeats."""
    tokens_per_second: Measured
    """New tokens over seconds of a repeat, reading the prompt included; the median over repeats."""
    latency_p50: Measured
    """Seconds from the prompt to the end of the answer, median over all answers."""
    latency_p95: Measured
    seconds_to_first_token: Measured
    peak_bytes: int | None
    """The highest peak of any answer."""
    time_per_token_ratio: Measured | None
    """The reference variant's tokens per second over this one's, each as above, over the repeats that both have; 1.03 is 3 %
    slower. None for the reference itself, and where a repeat in common is missing.

    It is the ratio of two medians and not the median of each repeat's ratio, so that it is what a reader finds who divides the
    two speeds in a table or picture, and so that three variants agree: a over b times b over c is a over c. What a
    repeat did to all variants alike is seen in the interval, for which the same repeats are drawn for both."""
    extra_peak_bytes: int | None
    """Peak beyond the reference variant's."""


@dataclass(frozen=True)
class _Repeat:
    new_tokens: float
    seconds: np.ndarray
    first: np.ndarray

    @property
    def speed(self) -> float:
        total = float(self.seconds.sum())
        return self.new_tokens / total if total > 0 else math.nan


def summarise_probe(
    probe: Mapping[str, Any] | None, reference: str, *, level: float = 0.95, seed: int = 0
) -> dict[str, Efficiency]:
    """Return what each variant costs, in the order in which the probe first saw them; empty without a probe.

    Args:
        probe: The content of a run's probe.json.
        reference: The variant that the others are compared with.
        level: Of the percentile bootstrap over repeats.
        seed: Of the bootstrap.

    Raises:
        InputError: an entry of the probe lacks a key.
    """
    if not probe or not probe.get("repeats"):
        return {}
    entries: Sequence[Mapping[str, Any]] = probe["repeats"]
    try:
        variants = list(dict.fromkeys(str(entry["variant"]) for entry in entries))
        repeats = {
            variant: _repeats([entry for entry in entries if entry["variant"] == variant]) for variant in variants
        }
    except (KeyError, TypeError) as error:
        raise InputError(
            f"probe.json: an entry of 'repeats' lacks {error}. Delete the file and evaluate again."
        ) from None
    peaks = {variant: _peak([entry for entry in entries if entry["variant"] == variant]) for variant in variants}
    return {
        variant: _summary(variant, repeats[variant], repeats.get(reference, {}), peaks[variant], peaks.get(reference),
                          is_reference=variant == reference, level=level, seed=seed)
        for variant in variants
    }  # fmt: skip


def _repeats(entries: Sequence[Mapping[str, Any]]) -> dict[int, _Repeat]:
    by_number: dict[int, list[Mapping[str, Any]]] = {}
    for entry in entries:
        by_number.setdefault(int(entry["repeat"]), []).append(entry)
    return {
        number: _Repeat(
            new_tokens=sum(float(entry["n_new_tokens"]) for entry in some),
            seconds=np.array([entry["seconds"] for entry in some], dtype=np.float64),
            first=np.array([entry["seconds_to_first_token"] for entry in some], dtype=np.float64),
        )
        for number, some in sorted(by_number.items())
    }


def _peak(entries: Sequence[Mapping[str, Any]]) -> int | None:
    peaks = [int(entry["peak_bytes"]) for entry in entries if entry.get("peak_bytes") is not None]
    return max(peaks, default=None)


def _summary(
    variant: str, mine: dict[int, _Repeat], theirs: dict[int, _Repeat], peak: int | None, reference_peak: int | None,
    *, is_reference: bool, level: float, seed: int,
) -> Efficiency:  # fmt: skip
    repeats = list(mine.values())
    shared = [(theirs[number], mine[number]) for number in mine if number in theirs and mine[number].speed > 0]

    def measured(figure: Callable[[list[_Repeat]], float]) -> Measured:
        return _measured(repeats, figure, level, seed)

    return Efficiency(
        variant=variant,
        repeats=len(repeats),
        answers=sum(len(repeat.seconds) for repeat in repeats),
        tokens_per_second=measured(_speed),
        latency_p50=measured(lambda some: float(np.quantile(np.concatenate([r.seconds for r in some]), 0.5))),
        latency_p95=measured(lambda some: float(np.quantile(np.concatenate([r.seconds for r in some]), 0.95))),
        seconds_to_first_token=measured(lambda some: float(np.median(np.concatenate([r.first for r in some])))),
        peak_bytes=peak,
        time_per_token_ratio=None if is_reference or not shared else _measured(shared, _ratio, level, seed),
        extra_peak_bytes=None if is_reference or peak is None or reference_peak is None else peak - reference_peak,
    )


def _speed(repeats: Sequence[_Repeat]) -> float:
    return float(np.median([repeat.speed for repeat in repeats]))


def _ratio(pairs: Sequence[tuple[_Repeat, _Repeat]]) -> float:
    return _speed([reference for reference, _ in pairs]) / _speed([mine for _, mine in pairs])


def _measured(repeats: list[_T], figure: Callable[[list[_T]], float], level: float, seed: int) -> Measured:
    value = figure(repeats)
    if len(repeats) < MIN_REPEATS:
        return Measured(value, None, None)
    draws = np.random.default_rng(seed).integers(len(repeats), size=(RESAMPLES, len(repeats)))
    # Few repeats have few distinct multisets (126 of five): each is computed once.
    multisets, counts = np.unique(np.sort(draws, axis=1), axis=0, return_counts=True)
    values = [figure([repeats[index] for index in multiset]) for multiset in multisets]
    low, high = np.quantile(np.repeat(values, counts), [(1 - level) / 2, (1 + level) / 2])
    return Measured(value, float(low), float(high))
