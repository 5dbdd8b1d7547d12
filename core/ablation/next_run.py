"""What to train next: the runs that would tell most, each with the examples that it needs.

Ranked by the chance that they tell the difference as it is now estimated (the power of Welch's t over three seeds a level, or of the
paired examples for a single adapter), divided by the trainings they take. A change that nothing is known of counts as an even chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log2, sqrt

import numpy as np
from scipy.special import ndtr, stdtrit

from core.ablation.choices import ROWS, STEPS
from core.ablation.design import Design, Group
from core.ablation.measured import Measurement
from core.ablation.pairs import Pair, Slope, Told
from core.ablation.records import Factor, NextRun
from core.ablation.seeds import LEAST_SEEDS
from core.ablation.statements import amount
from core.adapters.settings import value_text
from core.notation import counted
from core.stats.power import sample_size

SHOWN = 5
LEAST_EXAMPLES = 20
"""Below so many the normal approximation behind the number needed does not hold."""
_EVEN = 0.5
_DOUBLED = ("r", "lora_alpha", ROWS, STEPS)
"""Members of a tied factor that double together."""


def next_runs(
    design: Design,
    measured: Measurement,
    reference: Group,
    pairs: Sequence[tuple[Pair, Told]],
    slopes: Sequence[Slope],
) -> tuple[NextRun, ...]:
    """Return what to train next, the most informative first, five at the most.

    Args:
        design: of the adapters.
        measured: the outcome.
        reference: the reference configuration.
        pairs: each with what was measured of it.
        slopes: along which the next level may be worth a run.
    """
    found = [one for pair, told in pairs if (one := _more_seeds(design, measured, pair, told)) is not None]
    found += [one for slope in slopes if (one := _next_doubling(design, measured, slope)) is not None]
    found += _untried(design, measured, reference)
    return tuple(sorted(found, key=lambda one: -one.score)[:SHOWN])


def _more_seeds(design: Design, measured: Measurement, pair: Pair, told: Told) -> NextRun | None:
    """Return the seeds that would turn a statement about two adapters into one about a choice."""
    if pair.kind == "factor" or told.estimate is None:
        return None
    factor = design.factors[pair.factor]
    wanted = [(group, LEAST_SEEDS - group.n_seeds) for group in (pair.a, pair.b) if group.n_seeds < LEAST_SEEDS]
    trainings = sum(count for _, count in wanted)
    what = " and ".join(f"{group.name} with {counted(count, 'more seed')}" for group, count in wanted)
    (a,), (b,) = pair.compared
    examples = _pair_variance(measured, a, b)
    seeds = _seed_deviation(design, measured)
    error = sqrt(examples + (0.0 if seeds is None else 2 * seeds**2 / LEAST_SEEDS))
    chance = _power(told.estimate, error, measured.level, 2 * (LEAST_SEEDS - 1))
    why = f"Then something could be said of {factor.label}, and not of two adapters alone. "
    size = amount(told.estimate, None, None, measured.outcome)
    if seeds is None:
        chance = min(chance, _EVEN)
        why += f"The difference is now {size}; how much seeds vary is not known yet."
    else:
        why += f"If seeds vary as those of this base do, a difference of {size} would show with a chance of {100 * chance:.0f} %."
    return NextRun(f"Train {what}.", why, {}, _examples(measured, examples, told.estimate), told.n, chance / trainings)


def _next_doubling(design: Design, measured: Measurement, slope: Slope) -> NextRun | None:
    """Return the level beyond the last one, where the last step along a factor still made the outcome better."""
    factor, outcome = design.factors[slope.factor], measured.outcome
    before, last = slope.groups[-2:]
    variants = [next((name for name in group.variants if name in measured.point), None) for group in (before, last)]
    if variants[0] is None or variants[1] is None or not factor.log or outcome.direction_free:
        return None
    gain = measured.point[variants[1]] - measured.point[variants[0]]
    variance = _pair_variance(measured, variants[0], variants[1])
    degrees = max(1, measured.units - 1)
    better = (gain > 0) == outcome.higher_is_better
    if not better or abs(gain) <= float(stdtrit(degrees, 0.5 + measured.level / 2)) * sqrt(variance):
        return None
    doublings = log2(_dose(design, last, slope.factor) / _dose(design, before, slope.factor))
    each = gain / doublings
    chance = _power(each, sqrt(variance), measured.level, degrees)
    changes = _doubled(factor, last.levels[slope.factor])
    text = ", ".join(f"{name} {value}" for name, value in changes.items())
    size = amount(each, None, None, outcome)
    why = (
        f"{outcome.label} was still getting better from {before.name} to {last.name}: {size} for each doubling of {factor.label}. One "
        f"more of that size would show between the two adapters with a chance of {100 * chance:.0f} %."
    )
    if ROWS in factor.members:
        why += " It takes as much data again."
    needed = _examples(measured, variance, each)
    return NextRun(
        f"Train with {text}, the rest as {last.name}.", why, changes, needed, int(measured.joint.sum()), chance
    )


def _dose(design: Design, group: Group, factor: int) -> float:
    return design.level(group, factor).dose or 1.0


def _untried(design: Design, measured: Measurement, reference: Group) -> list[NextRun]:
    """Return levels that were tried only beside other changes."""
    beside = {(k, other.levels[k]) for k, other in design.neighbours(reference)}
    found = []
    for k, factor in enumerate(design.factors):
        for number, level in enumerate(factor.levels):
            if number == reference.levels[k] or (k, number) in beside:
                continue
            there = next(group for group in design.groups if group.levels[k] == number)
            found.append(
                NextRun(
                    f"Train with {factor.label} {level.text}, the rest as {reference.name}.",
                    f"It was tried only beside other changes (in {there.name}), so that nothing can be said of it alone.",
                    {factor.label: level.text}, None, int(measured.joint.sum()), _EVEN,
                )
            )  # fmt: skip
    return found


def _doubled(factor: Factor, level: int) -> dict[str, str]:
    changes = {}
    for name, value in zip(factor.members, factor.levels[level].values, strict=True):
        if isinstance(value, int | float) and not isinstance(value, bool):
            follows = name == factor.members[0] or name in _DOUBLED
            changes[_label(factor, name)] = value_text(value * 2 if follows else value)
    return changes


def _label(factor: Factor, name: str) -> str:
    labels = factor.label.split(" + ")
    place = factor.members.index(name)
    return labels[place] if len(labels) == len(factor.members) else name


def _pair_variance(measured: Measurement, a: str, b: str) -> float:
    """Return the variance over examples of the difference of two adapters; 0 where it cannot be told."""
    if not len(measured.draws):
        return 0.0
    covariance = measured.covariance([a, b])
    found = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return max(found, 0.0) if isfinite(found) else 0.0


def _seed_deviation(design: Design, measured: Measurement) -> float | None:
    """Return the standard deviation between seeds over all configurations of two seeds or more."""
    several = [[measured.point[name] for name in group.variants if name in measured.point] for group in design.groups]
    several = [values for values in several if len(values) > 1]
    if not several:
        return None
    squares = sum(float(np.var(values, ddof=1)) * (len(values) - 1) for values in several)
    return sqrt(squares / sum(len(values) - 1 for values in several))


def _power(difference: float, error: float, level: float, degrees: float) -> float:
    """Return the chance that a two-sided t test shows a difference of this size (its own spread taken as normal)."""
    if error <= 0:
        return 1.0 if difference else 0.0
    return float(ndtr(abs(difference) / error - stdtrit(degrees, 0.5 + level / 2)))


def _examples(measured: Measurement, variance: float, difference: float) -> int | None:
    if not difference or variance <= 0:
        return None
    return max(LEAST_EXAMPLES, sample_size(variance * measured.units, difference, alpha=1 - measured.level))
