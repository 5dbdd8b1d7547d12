"""``lorascope compare``: print what fine-tuning changed, each difference with its interval and adjusted p-value."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from core import notation
from core.cli.options import examples, json_option, print_json, print_table, workspace_option
from core.errors import InputError, nearest
from core.results import Comparison, MetricRow
from core.store import Run
from core.workspace import load_workspace


@click.command(
    "compare",
    epilog=examples(
        "lorascope compare sample --workspace sample_data --task reply",
        "lorascope compare sample --json | jq '.rows[0]'",
    ),
)
@click.argument("run", required=False)
@click.option("--reference", metavar="VARIANT", help="What the others are compared with; by default what the run says.")
@click.option("--task", "tasks", multiple=True, metavar="TASK", help="Only this task; give it once for each.")
@workspace_option
@json_option
def command(run: str | None, reference: str | None, tasks: tuple[str, ...], workspace: Path, as_json: bool) -> None:
    """Print a table of RUN: each metric of each variant, and its difference to the reference.

    RUN is an id, the start of one, or a run's folder; the newest run where it is left out.
    """
    from core.compare import compare

    opened = _open(run, workspace)
    spec = opened.spec
    _check_known("variant", (reference,) if reference else (), spec.models.variants, opened)
    _check_known("task", tasks, tuple(spec.tasks), opened)
    comparison = compare(opened, reference=reference or spec.reference)
    rows = [row for row in comparison.rows if not tasks or row.task in tasks]
    measured = list(comparison.efficiency) if not tasks else []
    if as_json:
        print_json(_as_json(comparison, rows, measured))
        return
    _print(comparison, rows + measured)


def _open(name: str | None, workspace: Path) -> Run:
    if name and (Path(name) / "spec.json").is_file():
        return Run(Path(name))
    opened = load_workspace(workspace)
    if name:
        return opened.run(name)
    runs = opened.runs()
    if not runs:
        raise InputError(
            f"{opened.runs_folder}: there is no run yet. Make one with: lorascope evaluate --workspace {workspace}"
        )
    return runs[0]


def _check_known(what: str, names: tuple[str, ...], known: tuple[str, ...], run: Run) -> None:
    for name in names:
        if name not in known:
            raise InputError(
                f"{run.folder}: the run has no {what} {name!r}{nearest(name, known)}; it has {', '.join(known)}."
            )


def _as_json(comparison: Comparison, rows: list[MetricRow], measured: list[MetricRow]) -> dict[str, Any]:
    content = asdict(comparison)
    for key, listed in (("rows", rows), ("efficiency", measured)):
        content[key] = [asdict(row) | {"key": row.key} for row in listed]
    return content


def _print(comparison: Comparison, rows: list[MetricRow]) -> None:
    if not rows:
        click.echo("There is nothing to compare: the tasks have no metrics.")
        return
    lines: list[tuple[str, ...]] = []
    for row in rows:
        for variant in [name for name in comparison.variants if name in row.values]:
            first = variant == comparison.variants[0]
            lines.append((_heading(row) if first else "", variant, *_cells(row, variant)))
    print_table(("metric", "variant", "value", "difference", "adjusted p", "", "n"), lines)
    reference = comparison.reference
    click.echo("")
    click.echo(
        f"Run {comparison.run_id}. Differences to {reference}, paired by example; {notation.percent(comparison.level)} intervals from "
        f"{comparison.resamples:,} resamples, seed {comparison.seed}; Holm's correction over {comparison.family_size} p-values."
    )
    click.echo("  ".join(f"{mark} {notation.MEANINGS[verdict]}" for verdict, mark in notation.MARKS.items()))


def _heading(row: MetricRow) -> str:
    unit = notation.UNIT_NAMES[row.unit]
    return f"{notation.metric_name(row)} {'↑' if row.higher_is_better else '↓'}{f' {unit}' if unit else ''}"


def _cells(row: MetricRow, variant: str) -> tuple[str, str, str, str, str]:
    """Return value, difference, adjusted p, mark and n of one variant."""
    value = row.values[variant]
    shown = " ".join(filter(None, notation.value_texts(value, row.unit)))
    if value.value is None:
        shown = f"– ({value.reason})"
    n = f"{value.n}" + (f" ({value.n_missing} missing)" if value.n_missing else "")
    difference = row.differences.get(variant)
    if difference is None:
        return shown, "", "", "", n
    changed = " ".join(filter(None, notation.difference_texts(difference, row.unit)))
    p = notation.p_text(difference.p_adjusted).removeprefix("p ").removeprefix("= ")
    return shown, changed, p, notation.MARKS[difference.verdict], n
