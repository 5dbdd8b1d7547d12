"""What was picked in a picture, as a rule: a bar, a cell, a bin or a region and the examples in it.

A rule rather than a list of ids fits an address, so that a link or a reload shows the same examples.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from core.diagnostics.answers import Answers
from core.diagnostics.paired import WinTieLoss, differences, in_bin, outcome_of
from core.errors import InputError
from core.metrics.metric import Unit
from core.notation import UNIT_NAMES, decimals, in_shown_unit, number_text

PickKind = Literal["difference", "outcome", "cell", "confidence", "length", "region"]
_BOUNDS: dict[PickKind, int] = {"difference": 2, "outcome": 0, "cell": 0, "confidence": 2, "length": 2, "region": 4}
_LABELS: dict[PickKind, int] = {"difference": 0, "outcome": 1, "cell": 2, "confidence": 0, "length": 0, "region": 0}
_LONGEST = 2_000
"""Characters of a rule in an address."""


@dataclass(frozen=True)
class Pick:
    """A rule for examples of one task."""

    kind: PickKind
    metric: str
    variant: str
    """Whose difference, outcome, answer, confidence or length it is."""
    reference: str
    bounds: tuple[float, ...] = ()
    """Low and high, in the metric's unit, probability or length; of a region first the reference's, then the variant's."""
    labels: tuple[str, ...] = ()
    """An outcome (win, tie, loss), or the reference label and the answer."""

    def text(self) -> str:
        """Return the rule as it stands in an address."""
        return json.dumps(list(asdict(self).values()), ensure_ascii=False, separators=(",", ":"))


def read_pick(text: str) -> Pick:
    """Return the rule that an address holds.

    Raises:
        InputError: it is not one that `Pick.text` wrote.
    """
    wrong = InputError(
        "the address picks examples by a rule that cannot be read: take `pick` out of it, or click in the picture again"
    )
    try:
        kind, metric, variant, reference, bounds, labels = json.loads(text[: _LONGEST + 1])
    except (ValueError, TypeError, RecursionError):
        raise wrong from None
    if kind not in get_args(PickKind) or not all(isinstance(name, str) for name in (metric, variant, reference)):
        raise wrong
    if not isinstance(bounds, list) or not isinstance(labels, list):
        raise wrong
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) and np.isfinite(one) for one in bounds)
    if len(bounds) != _BOUNDS[kind] or len(labels) != _LABELS[kind] or not numbers:
        raise wrong
    if not all(isinstance(one, str) for one in labels) or (kind == "outcome" and labels[0] not in get_args(WinTieLoss)):
        raise wrong
    return Pick(kind, metric, variant, reference, tuple(float(one) for one in bounds), tuple(labels))


def picked_by_score(pick: Pick, scores: pd.DataFrame, higher_is_better: bool) -> np.ndarray:
    """Return the examples of a difference, outcome or region, bool (n,).

    Args:
        pick: the rule.
        scores: columns variants, in the metric's unit.
        higher_is_better: of the metric.
    """
    if pick.kind == "region":
        theirs, ours = (scores[name].to_numpy(dtype=np.float64) for name in (pick.reference, pick.variant))
        left, right, bottom, top = pick.bounds
        with np.errstate(invalid="ignore"):
            return (theirs >= left) & (theirs <= right) & (ours >= bottom) & (ours <= top)
    found = differences(scores, pick.reference, pick.variant)
    if pick.kind == "difference":
        return in_bin(found, *pick.bounds)
    return outcome_of(found, higher_is_better) == pick.labels[0]


def picked_by_number(pick: Pick, numbers: np.ndarray) -> np.ndarray:
    """Return the examples whose confidence or length lies between the bounds, both ends included for lengths, bool (n,).

    A confidence of exactly the upper bound is in the next bin, but 1 is in the last.
    """
    low, high = pick.bounds
    with np.errstate(invalid="ignore"):
        return (numbers >= low) & ((numbers <= high) if pick.kind == "length" or high >= 1 else (numbers < high))


def picked_answers(pick: Pick, answers: Answers, other: Answers) -> np.ndarray:
    """Return the examples of a cell, bool (n,): those that both variants answered; ``answers`` are of the pick's variant."""
    rows = zip(answers.references, answers.answers, other.answers, strict=True)
    return np.array([(true, one) == pick.labels and two is not None for true, one, two in rows], dtype=bool)


def pick_sentence(pick: Pick, unit: Unit, label: str, length_name: str = "tokens") -> str:
    """Return what was picked, as a phrase: ``ROUGE-L of qv-r8 minus baseline between +10.0 and +20.0 %``.

    Args:
        pick: the rule.
        unit: the metric's.
        label: the metric's.
        length_name: what lengths count.
    """
    if pick.kind == "cell":
        return f"{pick.labels[0]} answered by {pick.variant} as {pick.labels[1]}"
    if pick.kind == "outcome":
        did = {"win": "wins against", "tie": "ties with", "loss": "loses against"}[pick.labels[0]]
        return f"{pick.variant} {did} {pick.reference} ({label})"
    if pick.kind == "length":
        low, high = (f"{bound:,.0f}" for bound in pick.bounds)
        return f"{low} {length_name}" if low == high else f"{low} to {high} {length_name}"
    if pick.kind == "confidence":
        return f"{pick.variant} between {100 * pick.bounds[0]:.0f} and {100 * pick.bounds[1]:.0f} % sure"
    if pick.kind == "difference" and pick.bounds == (0.0, 0.0):
        return f"{label} the same under {pick.variant} and {pick.reference}"
    shown = [in_shown_unit(bound, unit) for bound in pick.bounds]
    texts = [number_text(one, decimals(shown, unit), pick.kind == "difference") for one in shown]
    name = "points" if UNIT_NAMES[unit] == "%" and pick.kind == "difference" else UNIT_NAMES[unit]
    if pick.kind == "difference":
        return f"{label} of {pick.variant} minus {pick.reference} between {texts[0]} and {texts[1]} {name}".rstrip()
    return f"{label} between {texts[0]} and {texts[1]} under {pick.reference}, {texts[2]} and {texts[3]} under {pick.variant}"
