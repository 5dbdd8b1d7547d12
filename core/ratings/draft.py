"""A study before it is stored: what would be rated, what was left out, and which outputs name a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import InputError
from core.ratings.blindness import Leak, own_names, scan
from core.ratings.items import build_rows
from core.ratings.outputs import name_variants, rated_tasks, read_candidates
from core.ratings.plan_checks import check_plan
from core.ratings.records import StudyPlan
from core.ratings.texts import check_guidelines
from core.store import Run


@dataclass(frozen=True)
class StudyDraft:
    """All that a study is made of; nothing of it is on disk."""

    plan: StudyPlan
    runs: tuple[str, ...]
    variants: tuple[str, ...]
    notes: tuple[str, ...]
    """Sentences on what was left out."""
    leaks: tuple[Leak, ...]
    """Outputs that name a model: a rater who sees one is not blind."""
    n_examples: int
    n_items: int
    """To be shown; those with identical outputs are not among them."""
    n_identical: int
    guidelines: str
    tables: dict[str, list[dict[str, Any]]]
    """Rows of examples, outputs and items, without the study's id."""


def draft_study(runs: Sequence[Run], plan: StudyPlan) -> StudyDraft:
    """Draw the examples of a study and scan their outputs; the same plan gives the same draw each time.

    Args:
        runs: what it is made from.
        plan: what is to be rated, and how. Examples are drawn uniformly at random within strata (see `core.ratings.draw`);
            the answers have no part in it.

    Raises:
        InputError: the plan or the runs do not make a study.
    """
    sources = name_variants(runs, plan.variants)
    check_plan(plan, tuple(sources))
    guidelines = check_guidelines(plan.guidelines)
    tasks = rated_tasks([source.run for source in sources.values()], plan.tasks)
    candidates, notes = read_candidates(sources, tasks)
    if not candidates:
        raise InputError(
            f"Study {plan.title!r}: found no example that every variant answered with a text. {' '.join(notes)}".strip()
        )
    rows = build_rows(plan, tuple(sources), candidates)
    names = own_names(sources, [source.run.spec.models.base.path for source in sources.values()])
    own = [row for row in rows.items if row["kind"] == "item"]
    n_identical = sum(row["identical"] for row in own)
    return StudyDraft(
        plan=plan, runs=tuple(dict.fromkeys(source.run.id for source in sources.values())), variants=tuple(sources),
        notes=(*notes, *rows.notes, *_naming(plan, names)), leaks=tuple(scan(rows.texts(), names)),
        n_examples=len({row["example"] for row in own}), n_items=len(own) - n_identical, n_identical=n_identical,
        guidelines=guidelines, tables=rows.tables(),
    )  # fmt: skip


def _naming(plan: StudyPlan, names: Sequence[str]) -> list[str]:
    """Return a sentence for each text of the study's own that names one of its models: raters read these texts."""
    labels = " / ".join(f"{one.label} {one.low} {one.high}" for one in plan.asked_criteria)
    said = (("Title", plan.title), ("Guidelines", plan.guidelines), ("Criteria", labels))
    found = ((where, leak) for where, text in said for leak in scan([(where, "", "", text)], names) if leak.own)
    return [f"{where}: raters can read the name {leak.name!r} there: {leak.excerpt!r}." for where, leak in found]
