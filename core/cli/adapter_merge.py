"""The part of ``lorascope adapter`` that merges: runs the check that the Adapters page shows, and prints what it found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.options import print_table
from core.errors import InputError

if TYPE_CHECKING:
    from core.adapters import AdapterFacts
    from core.adapters.merge import MergeCheck
    from core.merge_metrics import MergeMetric
    from core.store import Run
    from core.workspace import Workspace


@dataclass(frozen=True)
class MergeWish:
    """What is to be checked."""

    workspace: Path
    run: str | None
    """Id, or folder; None is the workspace's newest."""
    base: Path | None
    """None is the workspace's."""
    examples: int
    """Of each task, for the metrics; 0 is none."""
    quantised: bool


@dataclass(frozen=True)
class Merged:
    """What was found."""

    check: MergeCheck
    metrics: tuple[MergeMetric, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        from core.charts.merge_tables import merge_metrics_records

        return asdict(self.check) | {"metrics": merge_metrics_records(self.metrics)}

    def print(self) -> None:
        """Print it for people."""
        from core.charts.merge_tables import merge_metrics_rows
        from core.wording.merging import metrics_sentence

        click.echo(f"merged on prompts of run {self.check.run}, on {self.check.device}:")
        rows = [
            (row.model, row.reason, "", "") if row.reason else (
                row.model, row.against, f"{row.largest_logit_change:.3g}", f"{row.other_continuations} of {row.prompts}")
            for row in self.check.rows
        ]  # fmt: skip
        print_table(("model", "against", "largest logit change", "other continuations"), rows)
        if self.metrics:
            header = ("metric", "model", "against", "values", "difference", "interval", "examples that flip")
            print_table(header, merge_metrics_rows(self.metrics))
            click.echo(metrics_sentence(self.metrics))


def merge(facts: AdapterFacts, wish: MergeWish) -> Merged:
    """Check what merging moves, in a process of its own; what was checked before is not checked again.

    Raises:
        InputError: there is no such run, or no base to merge into.
        RunError: the check failed; the message says why.
    """
    from core.adapters.kept import Answered, load_merge_check, merge_job
    from core.adapters.prompts import some_examples, some_prompts
    from core.cli.watch import follow_job
    from core.jobs.adapter_launch import start_job
    from core.merge_metrics import merge_metrics
    from core.workspace import load_workspace

    opened = load_workspace(wish.workspace)
    run = _run(opened, wish.run)
    base = _base(opened) if wish.base is None else wish.base
    answered = Answered(run, some_examples(run, wish.examples)) if wish.examples else None
    job = merge_job(
        opened.folder, facts, base, _scale(opened, facts), run.id, some_prompts(run), wish.quantised, answered
    )
    if load_merge_check(job) is None:
        start_job(job)
        follow_job(job)
    check = load_merge_check(job)
    if check is None:
        raise InputError(f"{job.folder}: the check left no result that can be read. Remove the folder and check again.")
    return Merged(check, merge_metrics(job.folder, check))


def _run(opened: Workspace, name: str | None) -> Run:
    runs = opened.runs()
    if name is not None:
        return opened.run(name)
    if not runs:
        raise InputError(
            f"{opened.runs_folder}: found no run, whose prompts the merged model would be asked. Make one with: lorascope evaluate"
        )
    return runs[0]


def _base(opened: Workspace) -> Path:
    found = opened.model_location(opened.spec.models.base)
    if isinstance(found, Path) and found.is_dir():
        return found
    raise InputError(f"{opened.path}: models.base: found no folder {found}; name the base's folder with --base.")


def _scale(opened: Workspace, facts: AdapterFacts) -> float:
    """Return the factor that the workspace puts on the adapter's scale, if it names it."""
    for ref in opened.spec.models.adapters.values():
        if opened.resolve(ref.path).resolve() == facts.folder.resolve():
            return ref.scale
    return 1.0
