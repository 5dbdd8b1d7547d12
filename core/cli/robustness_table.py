"""The robustness part of ``lorascope compare``: what each variant loses when its inputs are perturbed."""

from __future__ import annotations

from collections.abc import Sequence

import click

from core import notation
from core.cli.options import print_table
from core.results import Comparison, Difference, RobustnessRow

HEADER = (
    "perturbed input", "metric", "variant", "clean", "perturbed", "drop", "adjusted p", "", "more than reference",
    "adjusted p", "", "n",
)  # fmt: skip


def print_robustness(comparison: Comparison, rows: Sequence[RobustnessRow]) -> None:
    """Print drops as a table for people, with how to read it under it; nothing where there are none."""
    if not rows:
        return
    lines: list[tuple[str, ...]] = []
    for row in rows:
        for place, variant in enumerate(name for name in comparison.variants if name in row.drops):
            heading = _heading(row) if place == 0 else ("", "")
            lines.append((*heading, variant, *_cells(row, variant)))
    click.echo("")
    print_table(HEADER, lines)
    click.echo("")
    tests = sum(len(row.drops) + len(row.differences) for row in comparison.robustness)
    click.echo(
        f"Drops are paired with the clean inputs, above zero is worse; more than reference: the drop minus that of "
        f"{comparison.reference}. Benjamini and Hochberg's correction over {tests} p-values of their own."
    )


def _heading(row: RobustnessRow) -> tuple[str, str]:
    unit = notation.UNIT_NAMES[row.unit]
    part = f" ({row.part})" if row.part else ""
    arrow = "" if row.direction_free else "↑" if row.higher_is_better else "↓"
    return f"{row.task}: {row.perturbation_label}", " ".join(filter(None, (row.label + part, arrow, unit)))


def _cells(row: RobustnessRow, variant: str) -> tuple[str, ...]:
    clean, perturbed = (notation.value_texts(table[variant], row.unit)[0] for table in (row.clean, row.perturbed))
    if row.perturbed[variant].value is None:
        perturbed = f"– ({row.perturbed[variant].reason})"
    more = row.differences.get(variant)
    beside = ("", "", "") if more is None else _shown(more, row)
    return clean, perturbed, *_shown(row.drops[variant], row), *beside, str(row.drops[variant].n)


def _shown(difference: Difference, row: RobustnessRow) -> tuple[str, str, str]:
    """Return a difference with its interval, its adjusted p and its mark."""
    p = notation.p_text(difference.p_adjusted).removeprefix("p ").removeprefix("= ")
    text = " ".join(filter(None, notation.difference_texts(difference, row.unit)))
    return text, p, notation.MARKS[difference.verdict]
