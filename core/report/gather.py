"""Gathers everything a report says from a run; the formats write what is gathered and read nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from core.compare import compare
from core.errors import InputError, nearest
from core.own.rows import workspace_of
from core.ratings.analysis.results import HumanPreference
from core.report.document import SECTIONS, Report, Section, Wishes
from core.report.scene import Scene
from core.report.sections.data import data
from core.report.sections.examples import examples
from core.report.sections.further import composite_section, feedback, forgetting_section, robustness, slices
from core.report.sections.method import method
from core.report.sections.metrics import metrics
from core.report.sections.pictures import pictures
from core.report.sections.preference import preference
from core.report.sections.repeat import repeat
from core.report.sections.verdict import card_text, verdict
from core.results import Comparison
from core.store import Run
from core.wording.footnote import footnote_text

_MAKERS: dict[str, Callable[[Scene], Section | None]] = {
    "verdict": verdict,
    "metrics": metrics,
    "pictures": pictures,
    "slices": slices,
    "robustness": robustness,
    "forgetting": forgetting_section,
    "composites": composite_section,
    "feedback": feedback,
    "preference": preference,
    "examples": examples,
    "data": data,
    "method": method,
    "repeat": repeat,
}


def gather(
    run: Run, reference: str | None = None, wishes: Wishes | None = None, *, comparison: Comparison | None = None,
    people: Sequence[HumanPreference] = (), created: datetime | None = None,
) -> Report:  # fmt: skip
    """Return everything that a report of a run says.

    Args:
        run: finished or not.
        reference: the variant to compare with; by default the run's own.
        wishes: title, remarks, sections; by default all sections.
        comparison: of all examples against ``reference``, where one is at hand.
        people: what people said of the run's variants, in every study of it.
        created: when the report is made; by default now.

    Raises:
        InputError: the run has no such variant, or there is no such section.
    """
    asked = wishes or Wishes()
    check(run, asked)
    found = compare(run, reference) if comparison is None else comparison
    scene = Scene(run, found, asked, workspace_of(run), tuple(people))
    made = [_MAKERS[name](scene) for name in SECTIONS if name in asked.sections]
    moment = (created or datetime.now(UTC)).astimezone(UTC)
    made_of = Report(
        run_id=run.id,
        title=_title(scene),
        author="",
        remarks=(),
        created=moment.isoformat(timespec="seconds"),
        lead=_lead(scene),
        sections=tuple(section for section in made if section is not None),
        footnote=footnote_text(run, found, None),
        variants=found.variants,
        reference=found.reference,
    )
    return dressed(made_of, asked)


def dressed(report: Report, wishes: Wishes, created: datetime | None = None) -> Report:
    """Return a report with the title, the author, the remarks and the sections that were asked for; nothing is computed again.

    Args:
        report: gathered with at least these sections.
        wishes: what its author asks for.
        created: when it is made; by default when it was gathered.
    """
    return replace(
        report,
        title=wishes.title.strip() or report.title,
        author=wishes.author.strip(),
        remarks=tuple(part.strip() for part in wishes.remarks.split("\n\n") if part.strip()),
        sections=tuple(section for section in report.sections if section.name in wishes.sections),
        created=report.created if created is None else created.astimezone(UTC).isoformat(timespec="seconds"),
    )


def check(run: Run, wishes: Wishes) -> None:
    """Raise InputError where a section or a variant is asked for that there is not."""
    for name in wishes.sections:
        if name not in SECTIONS:
            raise InputError(
                f"A report has no section {name!r}{nearest(name, SECTIONS)}; it has {', '.join(SECTIONS)}."
            )
    variants = run.spec.models.variants
    if wishes.variant is not None and wishes.variant not in variants:
        raise InputError(
            f"run {run.id}: no variant {wishes.variant!r}{nearest(wishes.variant, variants)}; it has {', '.join(variants)}."
        )


def _title(scene: Scene) -> str:
    names = scene.others
    told = ", ".join(names) if len(names) <= 3 else f"{len(names)} variants"
    return f"{told} against {scene.comparison.reference}" if names else f"Run {scene.run.id}"


def _lead(scene: Scene) -> str:
    if not scene.cards:
        return f"Only {scene.comparison.reference} was run; there is nothing to compare it with."
    return card_text(scene.cards[0], scene.comparison.reference)
