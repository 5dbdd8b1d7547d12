"""What a page asks before an ablation is started, and which ablations a workspace has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.ablation_spec import ABLATION_PARTS, AblationPart
from core.errors import InputError
from core.experiment.prepare import AblationChoice, plan_ablation, subjects
from core.experiment.prompts import NO_CHANGE, prompt_changes
from core.experiment.trials import plan_trials
from core.jobs.status import read_status
from core.prepare import Choice, estimate_seconds
from core.store import Run
from core.workspace import Workspace


@dataclass(frozen=True)
class Estimate:
    """What an ablation would measure, and about how long it would take."""

    n_variants: int
    """The baseline and the whole adapters included."""
    seconds: float | None
    """By the rate of the newest finished run of all these tasks, as if nothing were kept; None where there is none."""
    off: dict[AblationPart, str]
    """Parts that make no sense, each with the reason as a sentence."""


def estimate_ablation(workspace: Workspace, choice: AblationChoice) -> Estimate:
    """Return what a choice would measure and cost.

    Raises:
        InputError: as `core.experiment.plan_ablation`; or a dataset cannot be read.
    """
    prepared = plan_ablation(workspace, choice)
    n_variants = 1 + len(prepared.planned.adapters) + len(prepared.planned.mixtures)
    twins = [task for task in prepared.tasks.values() if task.perturbation is not None]
    n_clean = len(prepared.tasks) - len(twins)
    asked = Choice(adapters=(choice.adapter,), tasks=choice.tasks, limit=choice.examples, robustness=False)
    two = estimate_seconds(workspace, asked)
    # The tasks with a changed prompt are asked of the baseline and the whole adapters; each is taken to cost a mean task.
    rounds = n_variants + (2 + len(choice.partners)) * len(twins) / max(n_clean, 1)
    return Estimate(n_variants, None if two is None else two / 2 * rounds, dict(prepared.ablation.off))


def parts_off(workspace: Workspace, adapter: str, partners: Sequence[str] = ()) -> dict[AblationPart, str]:
    """Return which parts make no sense for an adapter, each with the reason as a sentence.

    Raises:
        InputError: an adapter is unknown, missing or broken.
    """
    subject, others = subjects(workspace, adapter, partners)
    off: dict[AblationPart, str] = plan_trials(subject, ABLATION_PARTS, others).off
    if not any(True for task in workspace.spec.tasks.values() for _ in prompt_changes(task)):
        off["prompt"] = NO_CHANGE
    return off


def ablations_of(workspace: Workspace, adapter: str | None = None) -> list[Run]:
    """Return the runs that take an adapter (or any) apart, newest first."""
    found = [run for run in workspace.runs() if run.spec.ablation is not None]
    return [run for run in found if run.spec.ablation and adapter in (None, run.spec.ablation.adapter)]


def left_out(run: Run) -> tuple[str, ...]:
    """Return the variants that the run's budget left out; resuming the run goes on with them."""
    try:
        return read_status(run).left_out
    except InputError:  # a damaged status says nothing
        return ()
