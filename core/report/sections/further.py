"""Slices, robustness, forgetting, composites and users' feedback: each where the run has something to say in it."""

from __future__ import annotations

from dataclasses import replace

from core.charts.forest import forest_of_metric
from core.charts.forgetting import forgetting_chart
from core.charts.radar import composite_forest, composite_radar
from core.charts.robustness import drops_forest
from core.charts.slices import slices_forest
from core.charts.tables import comparison_table, robustness_table, slices_table
from core.composite.measured import composites
from core.composite.results import CompositeResult
from core.forgetting import forgetting
from core.notation import difference_texts, drop_texts, metric_name, value_texts
from core.report.cells import mark_cell, metric_lines, metric_table, p_cell, slug
from core.report.document import Cell, Chart, Section, Table
from core.report.scene import Scene
from core.results import Difference, RobustnessRow
from core.slices import SliceRow, slice_table
from core.wording.composites import dependence_sentence
from core.wording.forgetting import sentence as forgetting_sentence
from core.wording.robustness import metric_keys, rows_of
from core.wording.robustness import sentence as robustness_sentence
from core.wording.slices import sentence as slices_sentence

LISTED = 15
"""Slices in the table; the spreadsheet has all of them."""


def slices(scene: Scene) -> Section | None:
    """Return where the variants differ most; None where nothing parts the examples, or there is one variant alone."""
    if not scene.others:
        return None
    table = slice_table(scene.run, scene.comparison.reference)
    if not table.rows:
        return None
    variant = scene.variant or scene.others[0]
    found = table.of(variant=variant) or table.of(variant=table.rows[0].variant)
    first = found[0]
    of_metric = table.of(first.key, first.variant)
    note = (
        f"The first {min(LISTED, len(found))} of {len(found):,} for {first.variant} (the data have every variant), ranked {table.rule}. "
        f"Benjamini and Hochberg's correction over {table.n_tests:,} tests, a family of their own."
    )
    head = ("Slice", "Metric", "Difference inside", "On the rest", "Inside minus rest", "Adjusted p", "", "n")
    lines = tuple(_slice_line(row) for row in found[:LISTED])
    title = f"Where {first.variant} differs most"
    chart = Chart(
        "slices", title, "Difference on each slice, with intervals",
        lambda mode: slices_forest(table, first.key, first.variant, mode=mode),
    )  # fmt: skip
    shown = Table("slices", title, head, lines, slices_table(table), note, 2)
    return Section("slices", (slices_sentence(table, of_metric, first.variant),), tables=(shown,), charts=(chart,))


def robustness(scene: Scene) -> Section | None:
    """Return what each variant loses under perturbed inputs; None where nothing was perturbed."""
    comparison = scene.comparison
    keys = metric_keys(comparison)
    if not keys:
        return None
    told = robustness_sentence(comparison)
    primary = {row.key for row in comparison.rows if row.primary}
    shown = [key for key in keys if key in primary] or keys[:1]
    rows = [row for key in shown for row in rows_of(comparison, key)]
    lines = tuple(line for row in rows for line in _drop_lines(row, comparison.reference))
    tests = sum(len(row.drops) + len(row.differences) for row in comparison.robustness)
    note = (
        "Drop: clean minus perturbed, turned so that above zero is worse, paired by example. Benjamini and Hochberg's correction over "
        f"{tests:,} tests of drops, a family of their own."
    )
    head = (
        "Inputs",
        "Metric",
        "Variant",
        "Clean",
        "Perturbed",
        "Drop",
        "Adjusted p",
        "",
        "More than the reference",
        "",
        "n",
    )
    table = Table(
        "robustness", "Lost under each perturbation", head, lines, robustness_table(comparison, comparison.robustness),
        note, 3,
    )  # fmt: skip
    charts = [_drops(scene, key) for key in shown]
    return Section("robustness", (told,) if told else (), tables=(table,), charts=tuple(filter(None, charts)))


def forgetting_section(scene: Scene) -> Section | None:
    """Return what became of general text; None where the run declares no such tasks, or has nothing of them."""
    report = forgetting(scene.run, scene.comparison)
    if report is None:
        return None
    told = (forgetting_sentence(report),)
    if report.reason is not None or not report.domain_rows or not report.general_rows:
        return Section("forgetting", told)
    rows = (*report.general_rows, *report.domain_rows)
    note = f"General text: {report.general}. Domain: {report.domain}. Rows of the comparison; nothing is counted twice."
    table = metric_table(
        "forgetting", "General text and domain", scene.comparison, rows, note=note, folded=True, whole_name=True
    )
    key, variants = report.domain_rows[0].key, scene.comparison.variants
    chart = Chart(
        "forgetting", "Forgetting", "Gain in the domain against the change on general text, with intervals",
        lambda mode: forgetting_chart(report, key, variants, mode=mode),
    )  # fmt: skip
    return Section("forgetting", told, tables=(table,), charts=(chart,))


def composite_section(scene: Scene) -> Section | None:
    """Return the composites that the run declares; None without any."""
    if not scene.run.spec.composites:
        return None
    comparison = scene.comparison
    results = composites(scene.run, comparison.reference)
    together = replace(comparison, rows=tuple(result.row for result in results))
    lines = tuple(metric_lines(together, together.rows))
    note = (
        "A weighted mean of metrics, each mapped to 0-100 %; intervals from the same resamples as all metrics. "
        + " ".join(f"{result.name}: {_parts(result)}." for result in results)
    )
    table = Table("composites", "Composites", _HEAD, lines, comparison_table(together), note, 2)
    told = tuple(f"{one.name}: {dependence_sentence(one.dependence)}" for one in results if one.dependence is not None)
    charts = tuple(chart for result in results for chart in _composite_charts(scene, result))
    return Section("composites", told, tables=(table,), charts=charts)


def feedback(scene: Scene) -> Section | None:
    """Return how satisfied users are; None where nobody gave a thumb."""
    rows = scene.comparison.feedback
    if not rows:
        return None
    comparison = replace(scene.comparison, rows=rows)
    note = (
        "Share of thumbs up among thumbs; several on one answer are averaged first. Adjusted by Benjamini and Hochberg over the tests "
        f"of satisfaction alone. {rows[0].caution}"
    )
    table = metric_table("feedback", "Satisfaction", comparison, rows, note=note, whole_name=True)
    charts = tuple(
        Chart(f"satisfaction-{slug(row.task)}", metric_name(row), f"{metric_name(row)}: difference of each variant",
              lambda mode, key=row.key: forest_of_metric(comparison, key, mode))
        for row in rows if any(one.difference is not None for one in row.differences.values())
    )  # fmt: skip
    return Section("feedback", tables=(table,), charts=charts)


_HEAD = ("Composite", "Variant", "Value", "Difference", "Adjusted p", "", "Shows from", "n")


def _slice_line(row: SliceRow) -> tuple[Cell, ...]:
    label = f"{row.task}: {row.label}" + (f" ({row.part})" if row.part else "")
    gaps = [_gap(one, row) for one in (row.difference, row.rest, row.contrast)]
    return (
        Cell(row.slice.name), Cell(label), *gaps, p_cell(row.contrast), mark_cell(row.contrast),
        Cell(f"{row.difference.n:,}"),
    )  # fmt: skip


def _gap(found: Difference, row: SliceRow) -> Cell:
    return Cell("–") if found.difference is None else Cell(*difference_texts(found, row.unit), tone=found.verdict)


def _drop_lines(row: RobustnessRow, reference: str) -> list[tuple[Cell, ...]]:
    lines: list[tuple[Cell, ...]] = []
    heading, label = row.perturbation_label, f"{row.task}: {row.label}" + (f" ({row.part})" if row.part else "")
    for name in sorted(row.drops, key=lambda name: name != reference):
        drop, more = row.drops[name], row.differences.get(name)
        clean, perturbed = (value_texts(table[name], row.unit)[0] for table in (row.clean, row.perturbed))
        lost = Cell("–") if drop.difference is None else Cell(*drop_texts(drop, row.unit), tone=drop.verdict)
        beyond = (
            Cell("")
            if more is None or more.difference is None
            else Cell(*difference_texts(more, row.unit), tone=more.verdict)
        )
        lines.append((Cell(heading), Cell(label), Cell(name), Cell(clean), Cell(perturbed), lost, p_cell(drop),
                      mark_cell(drop), beyond, mark_cell(more), Cell(f"{drop.n:,}")))  # fmt: skip
        heading = label = ""
    return lines


def _drops(scene: Scene, key: str) -> Chart | None:
    comparison = scene.comparison
    found = rows_of(comparison, key)
    if not any(drop.difference is not None for row in found for drop in row.drops.values()):
        return None
    first = [scene.variant] if scene.variant else []
    shown = [comparison.reference, *(first if len(comparison.variants) > 4 else scene.others)]
    return Chart(
        f"drops-{slug(key)}", f"{key} under perturbed inputs", "Drop under each perturbation, with intervals",
        lambda mode: drops_forest(found, comparison.variants, shown, comparison.level, mode),
    )  # fmt: skip


def _parts(result: CompositeResult) -> str:
    return ", ".join(
        f"{part.key} {100 * part.share:.0f} % (0 at {part.worst:g}, 1 at {part.best:g})" for part in result.parts
    )


def _composite_charts(scene: Scene, result: CompositeResult) -> list[Chart]:
    comparison, name = scene.comparison, slug(result.name)
    return [
        Chart(f"composite-{name}", f"Composite {result.name}", f"{result.name} of each variant with its interval",
              lambda mode: composite_forest(result, comparison.variants, comparison.reference, comparison.level, mode)),
        Chart(f"radar-{name}", f"{result.name}: its parts", f"The parts of {result.name}, each mapped to 0-1; a summary, no evidence",
              lambda mode: composite_radar(result, comparison.variants, comparison.reference, mode=mode), extra=True),
    ]  # fmt: skip
