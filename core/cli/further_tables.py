"""What ``lorascope compare`` prints on request or where a run declares it: slices, composites and forgetting."""

from __future__ import annotations

from collections.abc import Sequence

import click

from core import notation
from core.cli.options import print_table
from core.composite.results import CompositeResult
from core.forgetting import ForgettingReport, VariantForgetting
from core.results import Comparison, Difference
from core.slices.results import SliceRow, SliceTable

SHOWN = 20
"""Rows of the slices' ranking that people are shown; JSON has all."""


def print_slices(table: SliceTable, rows: Sequence[SliceRow]) -> None:
    """Print the first rows of the ranking, with how it was made under it."""
    click.echo("")
    if not rows:
        click.echo("No slice has enough examples inside and out.")
        return
    lines = [
        (
            row.slice.name, f"{row.task}: {row.label}" + (f" ({row.part})" if row.part else ""), row.variant,
            *_shown(row.difference, row), notation.difference_texts(row.rest, row.unit)[0], *_shown(row.contrast, row),
            str(row.difference.n),
        )
        for row in rows[:SHOWN]
    ]  # fmt: skip
    header = (
        "slice",
        "metric",
        "variant",
        "difference",
        "adjusted p",
        "",
        "in the rest",
        "contrast",
        "adjusted p",
        "",
        "n",
    )
    print_table(header, lines)
    click.echo("")
    more = f"The first {SHOWN} of {len(rows)} (all with --json), ranked" if len(rows) > SHOWN else "Ranked"
    click.echo(
        f"{more} {table.rule}. Differences to {table.reference}; Benjamini and Hochberg's correction over all {table.n_tests} p-values "
        f"that were tried, on {len(table.slices)} slices."
    )


def print_composites(comparison: Comparison, results: Sequence[CompositeResult]) -> None:
    """Print each composite, its parts, and how far the ranking depends on the weights."""
    for result in results:
        click.echo("")
        click.echo(f"Composite {result.name}: " + "; ".join(_part(result, index) for index in range(len(result.parts))))
        lines = []
        for variant in comparison.variants:
            value, difference = result.row.values[variant], result.row.differences.get(variant)
            shown = (
                f"– ({value.reason})" if value.value is None else _joined(notation.value_texts(value, result.row.unit))
            )
            cells = ("", "", "") if difference is None else _difference(difference, result)
            around = "" if result.dependence is None else f"{100 * result.dependence.around.get(variant, 0):.0f} %"
            lines.append((variant, shown, *cells, around))
        print_table(("variant", "composite %", "difference", "adjusted p", "", "first"), lines)
        if result.dependence is not None:
            click.echo(_dependence(result))


def print_forgetting(report: ForgettingReport) -> None:
    """Print what each variant lost on general text, beside what it gained in its domain."""
    click.echo("")
    click.echo(
        f"Forgetting: {report.general} (general text) beside {report.domain}"
        + (f": {report.reason}." if report.reason else "")
    )
    if report.reason:
        return
    header = ["variant", "perplexity ratio"]
    for row in (*report.general_rows, *report.domain_rows):
        header += [f"{row.task}: {notation.metric_heading(row)}", ""]
    lines = [(found.variant, _ratio(found), *_changes(found, report)) for found in report.variants]
    print_table(header, lines)


def _changes(found: VariantForgetting, report: ForgettingReport) -> list[str]:
    cells: list[str] = []
    for row in (*report.general_rows, *report.domain_rows):
        difference = row.differences[found.variant]
        cells += [_joined(notation.difference_texts(difference, row.unit)), notation.MARKS[difference.verdict]]
    return cells


def _ratio(found: VariantForgetting) -> str:
    if found.ratio is None:
        return "–"
    interval = (
        ""
        if found.ratio.low is None or found.ratio.high is None
        else f" [{found.ratio.low:.3f}, {found.ratio.high:.3f}]"
    )
    return f"{found.ratio.ratio:.3f}{interval}"


def _part(result: CompositeResult, index: int) -> str:
    part = result.parts[index]
    return f"{part.key} {100 * part.share:.0f} % (0 at {part.worst:g}, 1 at {part.best:g})"


def _difference(difference: Difference, result: CompositeResult) -> tuple[str, str, str]:
    text = _joined(notation.difference_texts(difference, result.row.unit))
    return text, _p(difference), notation.MARKS[difference.verdict]


def _dependence(result: CompositeResult) -> str:
    found = result.dependence
    if found is None:
        return ""
    text = f"first: the share of {found.draws:,} weightings near the declared ones under which a variant is first."
    if found.change is None:
        return f"{text} No other weight for a single metric would change who is first."
    change = found.change
    return f"{text} {change.first} would be first if {change.key} counted {change.weight:.3g} instead of {change.declared:.3g}."


def _shown(difference: Difference, row: SliceRow) -> tuple[str, str, str]:
    text = _joined(notation.difference_texts(difference, row.unit))
    return text, _p(difference), notation.MARKS[difference.verdict]


def _p(difference: Difference) -> str:
    return notation.p_text(difference.p_adjusted).removeprefix("p ").removeprefix("= ")


def _joined(texts: Sequence[str]) -> str:
    return " ".join(filter(None, texts))
