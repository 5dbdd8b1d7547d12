"""What a study's owner looks at beside the numbers: why items were skipped or flagged, and the texts of one item."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from core.errors import InputError
from core.ratings.actions import check_may_see
from core.ratings.study import Study, closed_at
from core.ratings.tables import ACTIONS, EXAMPLES, ITEMS, OUTPUTS


@dataclass(frozen=True)
class Reason:
    """One reason for which raters skipped or flagged items, in their own words."""

    kind: str
    """``skip`` or ``flag``."""
    reason: str
    count: int
    """How often it was given."""
    n_items: int
    example_ids: tuple[str, ...]
    """Of the items, each once, in order of their names."""


@dataclass(frozen=True)
class ReviewedItem:
    """The texts of one item. Prompt and outputs are what people and models wrote: show them as text."""

    item_id: str
    task: str
    example_id: str
    prompt: str
    reference: str | None
    outputs: tuple[tuple[str, str], ...]
    """(variant, text), in the study's order."""


def study_state(study: Study) -> tuple[int, str | None]:
    """Return what changes whenever an analysis would: how many actions are stored, and when the study was closed."""
    counted = select(func.count()).select_from(ACTIONS).where(ACTIONS.c.study_id == study.id)
    with study.store.reading() as connection:
        n = connection.execute(counted).scalar() or 0
    return int(n), closed_at(study)


def reasons(study: Study) -> tuple[Reason, ...]:
    """Return why items were skipped and flagged, the most frequent reason first; practice is left out.

    Raises:
        InputError: the study was opened by a link and is not closed.
    """
    check_may_see(study)
    wanted = (
        select(ACTIONS.c.kind, ACTIONS.c.reason, ACTIONS.c.item_id, EXAMPLES.c.example_id)
        .join(ITEMS, ITEMS.c.id == ACTIONS.c.item_id)
        .join(EXAMPLES, EXAMPLES.c.id == ITEMS.c.example)
        .where(ACTIONS.c.study_id == study.id, ACTIONS.c.kind.in_(("skip", "flag")), ACTIONS.c.practice.is_(False))
    )
    with study.store.reading() as connection:
        rows = connection.execute(wanted).all()
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for kind, reason, item_id, example_id in rows:
        groups.setdefault((kind, reason), []).append((item_id, example_id))
    found = [
        Reason(
            kind, reason, len(some), len({item for item, _ in some}), tuple(sorted({example for _, example in some}))
        )
        for (kind, reason), some in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.count, one.kind, one.reason)))


def reviewed_item(study: Study, item_id: str) -> ReviewedItem:
    """Return the texts of an item of a study.

    Raises:
        InputError: the study has no such item, or it was opened by a link and is not closed.
    """
    check_may_see(study)
    wanted = (
        select(ITEMS.c.example, EXAMPLES.c.task, EXAMPLES.c.example_id, EXAMPLES.c.prompt, EXAMPLES.c.reference)
        .join(EXAMPLES, EXAMPLES.c.id == ITEMS.c.example)
        .where(ITEMS.c.id == item_id, ITEMS.c.study_id == study.id)
    )
    with study.store.reading() as connection:
        row = connection.execute(wanted).first()
        if row is None:
            raise InputError(f"Study {study.id} has no item {item_id!r}. Choose one of its list.")
        shown = connection.execute(select(ITEMS.c.variants).where(ITEMS.c.id == item_id)).scalar_one()
        texts = connection.execute(select(OUTPUTS.c.variant, OUTPUTS.c.text).where(OUTPUTS.c.example == row.example))
        of_variant = {variant: text for variant, text in texts}
    ordered = sorted(shown, key=lambda name: study.variants.index(name) if name in study.variants else len(shown))
    outputs = tuple((name, of_variant[name]) for name in ordered)
    return ReviewedItem(item_id, row.task, row.example_id, row.prompt, row.reference, outputs)
