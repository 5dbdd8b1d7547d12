"""``lorascope compare``: print what fine-tuning changed, each difference with its interval and adjusted p-value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from core import notation
from core.cli.further_tables import print_composites, print_forgetting, print_slices
from core.cli.gate import gate_options, outcomes_of, read_conditions, report_outcomes
from core.cli.joining import join_option, joined_json, joined_sentences, open_joined
from core.cli.metrics_progress import metrics_progress
from core.cli.options import examples, json_option, print_json, print_table, say, workspace_option
from core.cli.robustness_table import print_robustness
from core.composite.results import CompositeResult
from core.errors import InputError, nearest
from core.forgetting import ForgettingReport
from core.jobs.own_launch import compute_own_metrics
from core.results import Comparison, MetricRow, RobustnessRow
from core.slices.results import SliceRow, SliceTable
from core.store import Run
from core.workspace import load_workspace

_Row = TypeVar("_Row", MetricRow, RobustnessRow, SliceRow)


@click.command(
    "compare",
    epilog=examples(
        "lorascope compare sample --workspace sample_data --task reply",
        "lorascope compare sample --json | jq '.rows[0]'",
        'lorascope compare sample --variant qv-r8 --fail-if "rouge_l < baseline" --fail-if "any worsens"',
        "lorascope compare monday --join tuesday",
    ),
)
@click.argument("run", required=False)
@click.option("--reference", metavar="VARIANT", help="What the others are compared with; by default what the run says.")
@click.option("--task", "tasks", multiple=True, metavar="TASK", help="Only this task; give it once for each.")
@click.option(
    "--own", is_flag=True, help="First compute the metrics of your own that are trusted (see: lorascope trust)."
)
@click.option(
    "--slices", "by_slice", is_flag=True, help="Show the parts of the examples where the variants differ most."
)
@click.option("--composite", "composed", is_flag=True, help="Show the composites that the workspace declares.")
@join_option
@gate_options
@workspace_option
@json_option
def command(
    run: str | None, reference: str | None, tasks: tuple[str, ...], own: bool, by_slice: bool, composed: bool, joins: tuple[str, ...],
    judged: tuple[str, ...], fail_if: tuple[str, ...], junit: Path | None, annotations: str | None, workspace: Path, as_json: bool,
) -> int:  # fmt: skip
    """Print a table of RUN: each metric of each variant, and its difference to the reference.

    RUN is an id, the start of one, or a run's folder; the newest run where it is left out.

    Exits with 0 where all went well and no condition of --fail-if holds, 1 where the work failed, 2 where the input is wrong, and
    3 where a condition holds; the reasons are printed. A condition whose numbers are missing counts as one that holds.
    """
    from core.compare import compare

    conditions = read_conditions(fail_if, junit, annotations)
    opened = open_joined(open_run, run, joins, workspace)
    spec = opened.spec
    _check_known("variant", (reference,) if reference else (), spec.models.variants, opened)
    _check_known("task", tasks, tuple(spec.clean_tasks), opened)
    if own and joins:
        raise InputError("--own computes your metrics of one run; expected it without --join.")
    if own:
        _compute_own(opened, reference)
    comparison = compare(opened, reference=reference or spec.reference, progress=metrics_progress())
    outcomes = outcomes_of(opened, comparison, conditions, judged)
    further = _further(opened, comparison, by_slice, composed)
    if as_json:
        gate = {"gate": [asdict(outcome) for outcome in outcomes]} if conditions else {}
        print_json(_as_json(comparison, tasks) | _further_json(further, tasks) | joined_json(opened) | gate)
    else:
        _print(comparison, further, tasks)
        for sentence in joined_sentences(opened):
            click.echo(sentence)
    return report_outcomes(opened, outcomes, junit, annotations)


def _print(comparison: Comparison, further: _Further, tasks: tuple[str, ...]) -> None:
    print_comparison(
        comparison, [*_of(tasks, comparison.rows), *_of(tasks, comparison.feedback), *_measured(comparison, tasks)]
    )
    print_robustness(comparison, _of(tasks, comparison.robustness))
    if further.forgetting is not None and not tasks:
        print_forgetting(further.forgetting)
    if further.composites is not None:
        print_composites(comparison, further.composites)
    if further.slices is not None:
        print_slices(further.slices, _of(tasks, further.slices.rows))


@dataclass(frozen=True)
class _Further:
    """What stands beside the comparison; None where it was not asked for."""

    forgetting: ForgettingReport | None
    composites: tuple[CompositeResult, ...] | None
    slices: SliceTable | None


def _further(run: Run, comparison: Comparison, by_slice: bool, composed: bool) -> _Further:
    from core.composite.measured import composites
    from core.forgetting import forgetting
    from core.slices import slice_table

    if composed and not run.spec.composites:
        raise InputError(
            f"{run.folder}: its spec declares no composite; declare one under `composites` in the workspace and evaluate again."
        )
    return _Further(
        forgetting(run, comparison),
        composites(run, comparison.reference) if composed else None,
        slice_table(run, comparison.reference) if by_slice else None,
    )


def _further_json(further: _Further, tasks: tuple[str, ...]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if further.forgetting is not None:
        content["forgetting"] = asdict(further.forgetting)
    if further.composites is not None:
        content["composites"] = [asdict(result) for result in further.composites]
    if further.slices is not None:
        rows = [asdict(row) | {"key": row.key} for row in _of(tasks, further.slices.rows)]
        content["slices"] = asdict(further.slices) | {"rows": rows}
    return content


def _of(tasks: tuple[str, ...], rows: Sequence[_Row]) -> list[_Row]:
    """Return the rows of some tasks; all without a choice."""
    return [row for row in rows if not tasks or row.task in tasks]


def _measured(comparison: Comparison, tasks: tuple[str, ...]) -> list[MetricRow]:
    """Return what the probe measured, which is of no task."""
    return [] if tasks else list(comparison.efficiency)


def _compute_own(run: Run, reference: str | None) -> None:
    if not run.spec.own_metrics:
        raise InputError(
            f"{run.folder}: its tasks name no metric of your own; name one (the file metrics/NAME.py) in the workspace and evaluate again."
        )
    for sentence in compute_own_metrics(run, reference, say=say):
        say(f"Note: {sentence}")


def open_run(name: str | None, workspace: Path) -> Run:
    """Return the run that a command is about: an id, the start of one, a folder, or the newest of the workspace.

    Raises:
        InputError: there is none.
    """
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


def _as_json(comparison: Comparison, tasks: tuple[str, ...]) -> dict[str, Any]:
    content = asdict(comparison)
    for key, listed in (
        ("rows", _of(tasks, comparison.rows)), ("efficiency", _measured(comparison, tasks)),
        ("robustness", _of(tasks, comparison.robustness)), ("feedback", _of(tasks, comparison.feedback)),
    ):  # fmt: skip
        content[key] = [asdict(row) | {"key": row.key} for row in listed]
    return content


def print_comparison(comparison: Comparison, rows: list[MetricRow]) -> None:
    """Print a comparison as a table for people, with how it was made under it."""
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
    return " ".join(filter(None, (notation.metric_name(row), notation.direction_arrow(row), unit)))


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
