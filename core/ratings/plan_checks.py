"""Says in a sentence what is wrong with the plan of a study, before anything is stored."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import InputError, nearest
from core.ratings.records import RANKED_OUTPUTS, SCORE_RANGE, GoldItem, StudyPlan


def check_plan(plan: StudyPlan, variants: Sequence[str]) -> None:
    """Check what can be told without the examples.

    Raises:
        InputError: the first thing that is wrong.
    """
    if not plan.title.strip() or len(plan.title) > 200:
        raise InputError(f"Study: found a title of {len(plan.title):,} characters, expected 1 to 200.")
    if len(variants) < 2:
        found = f"only {variants[0]!r}" if variants else "no variant"
        raise InputError(
            f"Study {plan.title!r}: found {found}, expected at least two variants: a study compares. Add one."
        )
    low, high = RANKED_OUTPUTS
    if plan.mode == "rank" and not low <= len(variants) <= high:
        raise InputError(
            f"Study {plan.title!r}: found {len(variants)} variants, expected {low} to {high} to rank. Choose among them, or use pairs."
        )
    if plan.mode != "pair" and (plan.graded or plan.against):
        raise InputError(
            f"Study {plan.title!r}: a graded scale and a variant to meet are for pairs; the mode is {plan.mode!r}."
        )
    if plan.against is not None and plan.against not in variants:
        raise InputError(
            f"Study {plan.title!r}: found no variant {plan.against!r}{nearest(plan.against, variants)} to meet the others; "
            f"the study has {', '.join(variants)}."
        )
    if plan.overlap > plan.raters:
        raise InputError(
            f"Study {plan.title!r}: found an overlap of {plan.overlap} with {plan.raters} expected raters. "
            "An item cannot be judged by more raters than there are: lower the overlap, or expect more raters."
        )
    names = [criterion.name for criterion in plan.asked_criteria]
    if len(set(names)) < len(names) or not all(name.strip() for name in names):
        raise InputError(f"Study {plan.title!r}: each criterion needs a name of its own; found {', '.join(names)}.")
    for number, gold in enumerate(plan.gold, start=1):
        _check_gold(gold, number, plan)


def _check_gold(gold: GoldItem, number: int, plan: StudyPlan) -> None:
    where = f"Study {plan.title!r}, gold item {number}"
    if plan.mode == "score":
        names = [criterion.name for criterion in plan.asked_criteria]
        low, high = SCORE_RANGE
        if len(gold.outputs) != 1 or not gold.accept:
            raise InputError(f"{where}: expected one output and `accept`, the right scores of at least one criterion.")
        for name, (first, last) in gold.accept.items():
            if name not in names:
                raise InputError(
                    f"{where}: found criterion {name!r}{nearest(name, names)}; the study has {', '.join(names)}."
                )
            if not low <= first <= last <= high:
                raise InputError(f"{where}: {name}: found {first} to {last}, expected a range within {low} to {high}.")
        return
    least, most = (2, 2) if plan.mode == "pair" else RANKED_OUTPUTS
    if not least <= len(gold.outputs) <= most or len(set(gold.outputs)) < len(gold.outputs):
        wanted = (
            "two different outputs, the better one first"
            if plan.mode == "pair"
            else "3 to 5 different outputs, best first"
        )
        raise InputError(f"{where}: found {len(gold.outputs)} outputs, expected {wanted}.")


def check_size(plan: StudyPlan, n_shown: int) -> None:
    """Check that there is work for the raters who are expected.

    Args:
        plan: the study's.
        n_shown: items that are to be rated, those with identical outputs left out.

    Raises:
        InputError: there is nothing to rate, or there are more raters than items.
    """
    if n_shown == 0:
        raise InputError(
            f"Study {plan.title!r}: the outputs are identical in every item: there is nothing to rate. "
            "Compare the variants' settings, or choose other variants."
        )
    if plan.raters > n_shown:
        raise InputError(
            f"Study {plan.title!r}: found {plan.raters} raters for {n_shown} items. Expect fewer raters, or draw more examples."
        )
