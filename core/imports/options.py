"""Which answers could be given: the label set of a task, the documents of a query, and scores in their order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from core.errors import InputError
from core.imports.answers import Read
from core.imports.table import Item, Table
from core.records import Kind

_SUM_TOLERANCE = 1e-6


def label_set(table: Table, kind: Kind) -> tuple[str, ...]:
    """Return the labels of a task in sorted order, the same for every variant; empty for kinds without labels.

    For classification and medical the labels of references and scores: an answer outside them is a wrong one, and must not
    make three labels of two. Where those are fewer than two, and for multilabel, the labels of the answers count too; of
    vision they are the classes of the boxes.

    Raises:
        InputError: medical references have more than two labels.
    """
    found: set[str] = set()
    reads = [answered.read for several in table.answers.values() for answered in several]
    if kind in ("classification", "medical"):
        found = {str(item.reference) for item in table.items if item.reference is not None}
        if kind == "medical" and len(found) > 2:
            raise InputError(
                f"the references have {len(found)} labels ({', '.join(sorted(found)[:5])}); medical tasks are binary. Score more labels as "
                "--task classification."
            )
        found |= _scored(reads)
        if kind == "classification" and len(found) < 2:
            found |= {str(read.value) for read in reads if read.value is not None}
    elif kind == "multilabel":
        found = {label for item in table.items for label in item.reference or ()} | _scored(reads)
        found |= {label for read in reads for label in read.value or ()}
    elif kind == "vision":
        boxes = [box for item in table.items for box in item.reference or ()]
        boxes += [box for read in reads for box in read.value or ()]
        found = {box["label"] for box in boxes if box["label"] is not None}
    return tuple(sorted(found))


def _scored(reads: Sequence[Read]) -> set[str]:
    return {label for read in reads for label in read.scores or ()}


def documents(table: Table, item: Item) -> tuple[str, ...]:
    """Return the documents of one query: those with a relevance, then those that some system returned, as they stand there."""
    listed = dict.fromkeys(item.reference or ())
    for variant in table.variants:
        for answered in table.answers.get((variant, item.id), ()):
            listed |= dict.fromkeys(answered.read.value or ())
    return tuple(listed)


def aligned_scores(scores: Mapping[str, float] | None, labels: Sequence[str]) -> tuple[float, ...]:
    """Return scores in the order of the labels; empty where there are none.

    A label that the map leaves out has the probability 0 where the others are probabilities; scores of another kind (logits,
    say) leave it unknown, NaN.
    """
    if not scores:
        return ()
    there = [scores[label] for label in labels if label in scores]
    are_probabilities = all(0 <= one <= 1 for one in there) and math.fsum(there) <= 1 + _SUM_TOLERANCE
    absent = 0.0 if are_probabilities else math.nan
    return tuple(scores.get(label, absent) for label in labels)
